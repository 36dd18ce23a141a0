"""The counter of Web application numbers: one a Japan-time day, over everything (W7)."""

from datetime import date

from chassis.sql import Database


async def allot(database: Database, day: date) -> int:
    """The next serial of a day, from 1. Committed by itself: nobody waits behind the transaction that uses it, and a
    serial whose transaction fails is a gap, never a number given twice."""
    serial: int = await database.fetchval(
        """
        insert into number_days (day, last) values ($1, 1)
        on conflict (day) do update set last = number_days.last + 1 returning last
        """,
        day,
    )
    return serial


async def allotted_to(database: Database, policyholder_code: str, day: date) -> int:
    """How many numbers of a day went to this policyholder."""
    count: int = await database.fetchval(
        "select count(*) from applications where policyholder_code = $1 and day = $2", policyholder_code, day
    )
    return count
