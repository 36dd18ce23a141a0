"""Days are Japan-time days."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


def japan_day(moment: datetime) -> date:
    """The Japan-time day of a moment."""
    return moment.astimezone(JAPAN).date()
