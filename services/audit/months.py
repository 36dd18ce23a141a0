"""Which monthly partitions are known to exist, so that a batch asks for missing ones only."""

from collections.abc import Set
from datetime import UTC, date, datetime

from audit.rules.windows import japanese_day, one_year_before
from audit.store import log
from chassis.sql import Reader


class Months:
    """Remembers the months this process has seen made; recent and coming ones are made ahead by a task.

    Only those that searches can reach: older ones may be archived at any time, and a late event makes them anew.
    """

    def __init__(self) -> None:
        self._known: set[date] = set()

    async def ensure(self, reader: Reader, days: Set[date]) -> None:
        """Make sure there is a partition for each of these days (late events may need one of long ago)."""
        kept = one_year_before(japanese_day(datetime.now(UTC))).replace(day=1)
        for month in sorted({day.replace(day=1) for day in days} - self._known):
            # One made just now may still be rolled back.
            if await log.make_months(reader, month, month) == 0 and month > kept:
                self._known.add(month)
