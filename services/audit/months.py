"""Which monthly partitions are known to exist, so that a batch asks for missing ones only."""

from collections.abc import Set
from datetime import date

from audit.store import log
from chassis.sql import Reader


class Months:
    """Remembers the months this process has seen made; recent and coming ones are made ahead by a task."""

    def __init__(self) -> None:
        self._known: set[date] = set()

    async def ensure(self, reader: Reader, days: Set[date]) -> None:
        """Make sure there is a partition for each of these days (late events may need one of long ago)."""
        for month in sorted({day.replace(day=1) for day in days} - self._known):
            if await log.make_months(reader, month, month) == 0:  # one made just now may still be rolled back
                self._known.add(month)
