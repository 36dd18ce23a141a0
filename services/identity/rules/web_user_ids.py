"""How Web user IDs are made: policyholder code and serial, the administrator's being 000 (W2)."""

from collections.abc import Sequence

CODE_LENGTH = 9
ADMINISTRATOR_SERIAL = 0
LAST_SERIAL = 999


def web_user_id(policyholder_code: str, serial: int) -> str:
    """The ID of the user with this serial, 0 to LAST_SERIAL."""
    return f"{policyholder_code}{serial:03d}"


def administrator_id(policyholder_code: str) -> str:
    """The ID of a company's administrator."""
    return web_user_id(policyholder_code, ADMINISTRATOR_SERIAL)


def owner_of(user_id: str, policyholder_codes: Sequence[str]) -> str:
    """To which of its companies a group viewer belongs: the one in its ID, else the first."""
    return user_id[:CODE_LENGTH] if user_id[:CODE_LENGTH] in policyholder_codes else policyholder_codes[0]
