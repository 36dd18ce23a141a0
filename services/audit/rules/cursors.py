"""Where a page ends and the next one begins: a row's moment and number, as one word."""

from datetime import UTC, datetime

PATTERN = r"^[0-9]{1,17}-[0-9]{1,18}$"
"""Microseconds since 1970, number of the row; neither is beyond what can be stored."""


def read(cursor: str) -> tuple[datetime, int]:
    """The moment and the number."""
    microseconds, _, number = cursor.partition("-")
    seconds, rest = divmod(int(microseconds), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), int(number)


def write(moment: datetime, number: int) -> str:
    """The word for them."""
    seconds = int(moment.timestamp())
    return f"{seconds * 1_000_000 + moment.microsecond}-{number}"
