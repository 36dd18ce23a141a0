"""The counter of Web application numbers: one a Japan-time day, over everything (W7)."""

from datetime import date

from chassis.sql import Database

MOST_A_DAY = 99_999


async def allot(database: Database, day: date) -> int | None:
    """The next serial of a day, from 1; None when all of five digits are given. Committed by itself: nobody waits
    behind the transaction that uses it, and a serial whose transaction fails is a gap, never a number given twice."""
    serial: int | None = await database.fetchval(
        """
        insert into number_days (day, last) values ($1, 1)
        on conflict (day) do update set last = number_days.last + 1 where number_days.last < $2 returning last
        """,
        day, MOST_A_DAY,
    )  # fmt: skip
    return serial


async def allotted_to(database: Database, policyholder_code: str, day: date) -> int:
    """How many numbers of a day went to this policyholder."""
    count: int = await database.fetchval(
        "select count(*) from applications where policyholder_code = $1 and day = $2", policyholder_code, day
    )
    return count
