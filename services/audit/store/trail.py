"""Reading rows as rows: the security trail page by page, and everything in the order of arrival."""

from datetime import datetime
from typing import Any

from audit.rules.windows import Window
from audit.store.log import end
from chassis.sql import Reader

SHOWN = """number, id, performed_at, type, policyholder_code, user_id, name, department, title, operation, outcome,
           session_id, source_address, details"""


async def page(
    reader: Reader, policyholder_code: str, user_id: str | None, window: Window, before: tuple[datetime, int], most: int
) -> list[Any]:
    """The newest rows of the trail before a moment and number.

    The counters say on which days they are, so that only these are read, however long the period.
    """
    return await reader.fetch(
        f"""
        with counted as (
            -- Of the day of the page before nobody knows how much was shown, so it counts as nothing.
            select day, trail_records * (day <> ($5 at time zone 'Asia/Tokyo')::date)::int as records from days
             where policyholder_code = $1 and user_id = coalesce($2, '') and trail_records > 0
               and day between $3 and least($4, ($5 at time zone 'Asia/Tokyo')::date)
        ), needed as (
            select day from (select day, sum(records) over (order by day desc) - records as newer from counted) ranked
             where newer < $7
        ), users as (
            select array_agg(distinct user_id) as ids from days
             where policyholder_code = $1 and user_id > '' and ($2::text is null or user_id = $2)
               and trail_records > 0 and day between $3 and $4
        )
        select {SHOWN} from history, users
         where policyholder_code = $1 and user_id = any(users.ids) and operation is null
           and performed_at >= ((select min(day) from needed)::timestamp at time zone 'Asia/Tokyo')
           and performed_at < $8 and (performed_at, number) < ($5, $6)
         order by performed_at desc, number desc limit $7
        """,
        policyholder_code, user_id, window.first_day, window.last_day, *before, most, window.ends_before,
    )  # fmt: skip


async def arrivals(reader: Reader, after: int, view: str, most: int) -> tuple[int, list[Any]]:
    """Up to `most` numbers beyond `after` and how far they reach; rows of the other view are left out.

    Each with the moment in which it was recorded.
    """
    last = min((await end(reader))["rows"], after + most)
    if last <= after:
        return after, []
    rows = await reader.fetch(
        f"""
        select {SHOWN}, (select recorded_at from blocks where first <= number order by first desc limit 1)
          from history
         where number > $1 and number <= $2
           and ($3 = 'all' or (operation is null) = ($3 = 'trail'))
         order by number
        """,
        after, last, view,
    )  # fmt: skip
    return last, rows
