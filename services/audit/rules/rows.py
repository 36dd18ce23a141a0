"""A row of the history before it has a number."""

from datetime import date
from typing import NamedTuple


class Row(NamedTuple):
    """An action as it will be stored; `text` is its canonical line, `leaf` the digest over it."""

    id: str
    policyholder_code: str
    user_id: str
    day: date
    in_catalogue: bool
    size: int
    letters: int
    text: bytes
    leaf: bytes


class Refused(ValueError):
    """This event cannot be recorded; the text says why, without quoting it."""
