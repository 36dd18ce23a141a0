"""What the searches' table of days must say: counted again from the log's own lines."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache, lru_cache, partial

from audit.rules.lines import NULL
from audit.rules.windows import JAPAN

_NULL = NULL.encode()


class Counts:
    """Compares records by policyholder, user, Japanese day and view, holding one number for each policyholder.

    A record weighs what a keyed digest says of its user, day and view. The key is made for this one comparison, so
    nobody can move records to another day, user or view and keep the sum; a year has too many of them to hold each.
    """

    def __init__(self) -> None:
        self._sums: dict[bytes, int] = defaultdict(int)
        self._weigh = lru_cache(1 << 16)(partial(_weight, secrets.token_bytes(32)))
        self._weigh_both = lru_cache(1 << 16)(self._both)
        self._japanese_day = cache(_japanese_day)

    def record(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Rows of the log: each counts for its user and for everybody ('') of its policyholder. Raises ValueError."""
        for _, text in lines:
            _, moment, _, policyholder, user, _, _, _, operation, _ = text.split(b"\t", 9)
            day, trail = self._japanese_day(moment[:13]), operation == _NULL
            self._sums[policyholder] += self._weigh_both(user, day, trail)

    def _both(self, user: bytes, day: date, trail: bool) -> int:
        return self._weigh(user, day, trail) + self._weigh(b"", day, trail)

    def counted(self, policyholder: bytes, user: bytes, day: date, records: int, trail_records: int) -> None:
        """A line of the table; what it says is taken from what was recorded."""
        said = records * self._weigh(user, day, False) + trail_records * self._weigh(user, day, True)
        self._sums[policyholder] -= said

    def wrong(self) -> list[str]:
        """The policyholders for which the table says something else than the log."""
        return sorted(whose.decode(errors="replace") for whose, left in self._sums.items() if left)


def _weight(key: bytes, user: bytes, day: date, trail: bool) -> int:
    said = b"%d\t%d\t%b" % (trail, day.toordinal(), user)
    return int.from_bytes(hashlib.blake2b(said, digest_size=32, key=key).digest())


def _japanese_day(hour: bytes) -> date:
    """Of a moment in UTC, to the hour, as the canonical line has it."""
    return datetime.fromisoformat(hour.decode() + ":00+00:00").astimezone(JAPAN).date()
