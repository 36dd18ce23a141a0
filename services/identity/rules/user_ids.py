"""The one rule by which Web user IDs are made (W2); everywhere else an ID is opaque text."""

ADMINISTRATOR = 0
"""The administrator's serial; applicants have 1 to 999."""


def user_id(policyholder_code: str, serial: int) -> str:
    """Policyholder code (9 digits) and serial (3 digits)."""
    return f"{policyholder_code}{serial:03d}"
