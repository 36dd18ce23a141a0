"""Fills audit's database with a year of realistic history: millions of rows in minutes, or chained ones more slowly."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from audit.listeners.rows import row_of
from audit.rules.windows import JAPAN
from audit.store import log
from bench.audit_stage import DEPARTMENTS, NAMES, TITLES, logins, operators
from chassis.messages import Envelope
from chassis.sql import Database
from contracts.operations import Operation

CONNECTIONS = 2

ROWS = """
insert into {month} (number, id, performed_at, type, policyholder_code, user_id, name, department, title, operation,
                     outcome, session_id, source_address, details)
select $1 + n, gen_random_uuid(), $2::timestamptz + ((n - 0.5) / $3::float8) * $4::interval,
       'identity.login_succeeded', code, code || lpad((n * 7919 % $6)::text, 3, '0'),
       ($7::text[])[1 + n % cardinality($7::text[])], ($8::text[])[1 + n % cardinality($8::text[])],
       ($9::text[])[1 + n % cardinality($9::text[])], ($10::text[])[1 + n % cardinality($10::text[])],
       'done', '0123456789abcdef', '192.0.2.' || n % 256, '{{}}'
  from (select n, (100000000 + floor($5 * power(random(), 3)))::bigint::text as code
          from generate_series(1, $3::bigint) n) drawn
"""
"""The first policyholder gets about (1/policyholders)^(1/3) of all rows: a tenth of them among a thousand."""

INDEXES = """
alter table {month} add primary key (number, performed_at);
create index on {month} (policyholder_code, user_id, performed_at);
alter table history attach partition {month} for values from ('{first}') to ('{after}');
"""

COUNTERS = """
insert into days as known (policyholder_code, user_id, day, records, bytes, letters)
select policyholder_code, whose.id, (performed_at at time zone 'Asia/Tokyo')::date, count(*),
       sum(octet_length(user_id || name || department || title) + 83),
       sum(length(user_id || name || department || title) + 40)
  from {month}, lateral (values (user_id), ('')) whose (id) group by 1, 2, 3
    on conflict (policyholder_code, user_id, day) do update
   set records = known.records + excluded.records, bytes = known.bytes + excluded.bytes,
       letters = known.letters + excluded.letters
"""

END = """
insert into blocks values (1, 1, {rows}, now(), sha256('\\x'), sha256('\\x'));
update log set rows = {rows}, blocks = 1, head = sha256('\\x');
"""


@dataclass(frozen=True)
class Month:
    """A partition, what it may hold, and the rows it gets."""

    name: str
    first: datetime
    after: datetime
    begin: datetime
    end: datetime
    numbers: range


def months(rows: int, days: int) -> Iterator[Month]:
    """The partitions of the last `days` days; each gets its share of the rows, numbered in their order."""
    now = datetime.now(JAPAN)
    start = begin = now - timedelta(days=days)
    done = 0
    while begin < now:
        first = datetime(begin.year, begin.month, 1, tzinfo=JAPAN)
        after = (first + timedelta(days=32)).replace(day=1)
        end = min(after, now)
        until = rows if end is now else round(rows * ((end - start) / (now - start)))
        yield Month(f"history_{first:%Y_%m}", first, after, begin, end, range(done, until))
        begin, done = after, until


async def fill(dsn: str, rows: int, policyholders: int, users: int, days: int = 364) -> float:
    """Rows made by the database itself in the place of all others, indexed when a month is full; answers rows a second.

    Their chain is not one that the verifier accepts.
    """
    begun = time.perf_counter()
    options = {"synchronous_commit": "off", "maintenance_work_mem": "256MB", "work_mem": "256MB"}
    async with asyncpg.create_pool(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS, server_settings=options) as pool:
        await pool.execute("truncate history, entries, blocks, days, searches")

        async def make(month: Month) -> None:
            async with pool.acquire() as connection:
                await _month(connection, month, policyholders, users)

        await asyncio.gather(*(make(month) for month in months(rows, days)))
        await pool.execute(END.format(rows=rows))
        seconds = time.perf_counter() - begun
        for table in ("history", "days"):  # now, or PostgreSQL would do it by itself while something is measured
            await pool.execute(f"vacuum analyze {table}")
    return rows / seconds


async def _month(connection: Any, month: Month, policyholders: int, users: int) -> None:
    names = {"month": month.name, "first": month.first, "after": month.after}
    await connection.execute("drop table if exists {month}; create table {month} (like history)".format_map(names))
    await connection.execute(
        ROWS.format_map(names), month.numbers.start, month.begin, len(month.numbers), month.end - month.begin,
        policyholders, users, NAMES, DEPARTMENTS, TITLES, [one.value for one in Operation],
    )  # fmt: skip
    await connection.execute(INDEXES.format_map(names))
    await connection.execute(COUNTERS.format_map(names))


async def chain(dsn: str, rows: int, policyholders: int, users: int, in_block: int = 5000) -> float:
    """Rows as the service records them, digests and all; answers rows a second."""
    database = await Database.connect(dsn, source="audit", size=1)
    begun = time.perf_counter()
    now = datetime.now(UTC)
    try:
        await log.make_months(database, now.date(), now.date())
        batch: list[Any] = []
        for group in logins(rows, operators(policyholders, users)):
            batch += [
                row_of(Envelope(one.id, one.type, one.source, one.time, json_of(data)), datetime.now(UTC))
                for one, data in group
            ]
            if len(batch) >= in_block:
                async with database.transaction() as tx:
                    await log.record(tx, batch, bytes)
                batch = []
        if batch:
            async with database.transaction() as tx:
                await log.record(tx, batch, bytes)
    finally:
        await database.close()
    return rows / (time.perf_counter() - begun)


def json_of(text: str) -> Any:
    """The data of an event."""
    import pydantic_core

    return pydantic_core.from_json(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn", help="audit's database with the owner's role")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--policyholders", type=int, default=1000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--chained", action="store_true", help="so that the verifier accepts them")
    chosen = parser.parse_args()
    make = chain if chosen.chained else fill
    print(f"{asyncio.run(make(chosen.dsn, chosen.rows, chosen.policyholders, chosen.users)):,.0f} rows/s")
