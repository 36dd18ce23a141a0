"""The counter of Web application numbers: one a Japan-time day, over everything (W7)."""

from datetime import date

from chassis.sql import Database

MOST_A_DAY = 99_999


async def allot(database: Database, day: date, policyholder_code: str, most: int) -> int | None:
    """The next serial of a day, from 1; None when this policyholder was allotted `most` on that day, or when all of
    five digits are given.

    Committed by itself: nobody waits behind the transaction that uses it, and a serial whose transaction fails is a
    gap, never a number given twice. It counts against the policyholder all the same.
    """
    serial: int | None = await database.fetchval(
        """
        with own as (
            insert into allotments (policyholder_code, day, allotted) values ($3, $1, 1)
            on conflict (policyholder_code) do update
               set day = greatest(allotments.day, excluded.day),
                   allotted = case when allotments.day < excluded.day then 1 else allotments.allotted + 1 end
             where allotments.day < excluded.day or allotments.allotted < $4
            returning 1
        )
        insert into number_days (day, last) select $1, 1 from own
        on conflict (day) do update set last = number_days.last + 1 where number_days.last < $2 returning last
        """,
        day, MOST_A_DAY, policyholder_code, most,
    )  # fmt: skip
    return serial
