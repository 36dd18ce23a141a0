"""Which days of the history may be served, and how a moment is printed (rulings H4, R244 to R246)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

JAPAN = timezone(timedelta(hours=9), "JST")
BEGINNING = date(2016, 3, 22)
"""Operations before this day are not served (R245)."""
SEARCHES_KEPT = timedelta(days=7)
"""For so long the answer of a search can be downloaded."""


@dataclass(frozen=True, slots=True)
class Window:
    """Whole Japanese calendar days, both included."""

    first_day: date
    last_day: date

    @property
    def starts_at(self) -> datetime:
        """The first moment that is inside."""
        return datetime.combine(self.first_day, time(), JAPAN)

    @property
    def ends_before(self) -> datetime:
        """The first moment that is outside again."""
        return datetime.combine(self.last_day + timedelta(days=1), time(), JAPAN)


def served(first_day: date, last_day: date, now: datetime) -> Window | None:
    """What of the asked days is served: at most a year back, nothing before 2016-03-22, nothing to come.

    None when no day is left.
    """
    today = now.astimezone(JAPAN).date()
    first = max(first_day, one_year_before(today), BEGINNING)
    last = min(last_day, today)
    return Window(first, last) if first <= last else None


def one_year_before(day: date) -> date:
    """The same date a year earlier; the last of February for a leap day."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def first_reachable(now: datetime) -> date:
    """The first day that a download may still read: a search of some days ago served a year back from its own day."""
    return one_year_before(japanese_day(now - SEARCHES_KEPT))


def japanese_day(moment: datetime) -> date:
    """The calendar day in Japan."""
    return moment.astimezone(JAPAN).date()
