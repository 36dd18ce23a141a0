"""The one rule by which Web user IDs are made (W2); everywhere else an ID is opaque text."""

from collections.abc import Sequence

CODE_LENGTH = 9
ADMINISTRATOR_SERIAL = 0
"""Applicants have 1 to 999."""


def web_user_id(policyholder_code: str, serial: int) -> str:
    """Policyholder code (9 digits) and serial (3 digits)."""
    return f"{policyholder_code}{serial:03d}"


def administrator_id(policyholder_code: str) -> str:
    """The ID of a company's administrator."""
    return web_user_id(policyholder_code, ADMINISTRATOR_SERIAL)


def owner_of(user_id: str, policyholder_codes: Sequence[str]) -> str:
    """To which of its companies a group viewer belongs: the one in its ID, else the first."""
    return user_id[:CODE_LENGTH] if user_id[:CODE_LENGTH] in policyholder_codes else policyholder_codes[0]
