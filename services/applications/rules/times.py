"""Japan time: days, the Web application number made from them, and how the screens write a moment."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


def japan_day(moment: datetime) -> date:
    """The day on which this moment falls in Japan."""
    return moment.astimezone(JAPAN).date()


def midnight(day: date) -> datetime:
    """00:00 Japan time of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=JAPAN).astimezone(UTC)


def web_application_number(day: date, serial: int) -> str:
    """`2015-0901-0001`; past 9999 the serial grows to five digits (R192, W7)."""
    return f"{day.year:04d}-{day.month:02d}{day.day:02d}-{serial:04d}"


def shown(moment: datetime) -> str:
    """Web申込日時 as the completion screen writes it: `2015年 09月 01日 12時 00分` (R193)."""
    local = moment.astimezone(JAPAN)
    return f"{local.year:04d}年 {local.month:02d}月 {local.day:02d}日 {local.hour:02d}時 {local.minute:02d}分"
