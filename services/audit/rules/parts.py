"""A download in parts: none large, together the whole file in its order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

PART_RECORDS = 20_000
"""Sorted in the database's memory in well under 100 ms, so the first byte leaves early and nothing large is held."""

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of these users on these days, both included."""

    users: tuple[str, ...]
    first_day: date
    last_day: date


def groups(counted: Iterable[tuple[KeyT, int]], most: int = PART_RECORDS) -> list[list[KeyT]]:
    """Neighbours together until a group holds `most` records; one that alone has more stays alone."""
    found: list[list[KeyT]] = []
    held = most
    for key, records in counted:
        if held + records > most:
            found.append([])
            held = 0
        found[-1].append(key)
        held += records
    return found


def by_day(users: Iterable[str], days: Iterable[tuple[date, int]]) -> list[Part]:
    """Parts of these users in the order of days."""
    everybody = tuple(users)
    return [Part(everybody, group[0], group[-1]) for group in groups(days)]
