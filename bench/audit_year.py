"""Fills audit's database with a year of realistic history: millions of rows in minutes, or chained ones more slowly."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from audit.listeners.rows import row_of
from audit.store import log
from bench.audit_stage import DEPARTMENTS, NAMES, TITLES, logins, operators
from chassis.messages import Envelope
from chassis.sql import Database
from contracts.operations import Operation

PART = 500_000

ROWS = """
insert into history (number, id, performed_at, type, policyholder_code, user_id, name, department, title, operation,
                     outcome, session_id, source_address, details)
select $1 + n, gen_random_uuid(),
       $2::timestamptz + (n / $3::float8) * $4::interval + random() * interval '1 second',
       'identity.login_succeeded', code, code || lpad(floor(random() * $6)::text, 3, '0'),
       ($7::text[])[1 + n % cardinality($7::text[])], ($8::text[])[1 + n % cardinality($8::text[])],
       ($9::text[])[1 + n % cardinality($9::text[])], ($10::text[])[1 + n % cardinality($10::text[])],
       'done', '0123456789abcdef', '192.0.2.' || n % 256, '{}'
  from (select n, (100000000 + floor($5 * power(random(), 3)))::bigint::text as code
          from generate_series(1, $3::bigint) n) drawn
"""
"""The first policyholder gets about (1/policyholders)^(1/3) of all rows: a tenth of them among a thousand."""

COUNTERS = """
insert into days (policyholder_code, user_id, day, records, bytes, letters)
select policyholder_code, whose.id, (performed_at at time zone 'Asia/Tokyo')::date, count(*),
       sum(octet_length(user_id || name || department || title) + 83),
       sum(length(user_id || name || department || title) + 40)
  from history, lateral (values (user_id), ('')) whose (id) where number > $1 and number <= $2 group by 1, 2, 3
    on conflict (policyholder_code, user_id, day) do update
   set records = days.records + excluded.records, bytes = days.bytes + excluded.bytes,
       letters = days.letters + excluded.letters
"""

END = """
with block as (
    insert into blocks select blocks + 1, rows + 1, $1::integer, now(), sha256('\\x'), sha256('\\x') from log
)
update log set rows = rows + $1, blocks = blocks + 1, head = sha256('\\x')
"""


async def fill(dsn: str, rows: int, policyholders: int, users: int, days: int = 364) -> float:
    """Rows made by the database itself (their chain is not one the verifier accepts); answers rows a second."""
    connection = await asyncpg.connect(dsn)
    begun = time.perf_counter()
    start = datetime.now(UTC) - timedelta(days=days)
    try:
        await connection.execute("set synchronous_commit = off")
        await connection.fetchval("select make_months($1, $2)", start.date(), datetime.now(UTC).date())
        before = await connection.fetchval("select rows from log")
        for done in range(0, rows, PART):
            part = min(PART, rows - done)
            span = timedelta(days=days) * part / rows
            async with connection.transaction():
                await connection.execute(
                    ROWS, before + done, start + timedelta(days=days) * done / rows, part, span, policyholders, users,
                    NAMES, DEPARTMENTS, TITLES, [one.value for one in Operation],
                )  # fmt: skip
                await connection.execute(COUNTERS, before + done, before + done + part)
                await connection.execute(END, part)
        seconds = time.perf_counter() - begun
        await connection.execute("analyze history")
        await connection.execute("vacuum days")
    finally:
        await connection.close()
    return rows / seconds


async def chain(dsn: str, rows: int, policyholders: int, users: int) -> float:
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
            if len(batch) >= 5000:
                async with database.transaction() as tx:
                    await log.record(tx, batch)
                batch = []
        async with database.transaction() as tx:
            await log.record(tx, batch)
    finally:
        await database.close()
    return rows / (time.perf_counter() - begun)


def json_of(text: str) -> Any:
    """The data of an event."""
    import pydantic_core

    return pydantic_core.from_json(text)


@asynccontextmanager
async def measured(what: str) -> AsyncIterator[None]:
    """Prints how long it took."""
    begun = time.perf_counter()
    yield
    print(f"{what:<40} {time.perf_counter() - begun:>8.2f} s", flush=True)


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
