"""Broker → committed, exactly-once row (P5): ours against PostgreSQL alone and against one row at a time."""

import argparse
import asyncio
import resource
import time
from io import BytesIO
from typing import Any

import aio_pika
import asyncpg

from audit.listeners.rows import row_of
from audit.rules.lines import COLUMNS
from audit.rules.rows import Row
from audit.store import log
from bench.audit_stage import logins, operators, stage
from chassis.messages import Envelope, decode, encode
from chassis.sql import Database
from contracts.identity import LoginSucceeded
from tests.support.environments import as_environment
from tests.support.platform import Platform, Speaker

KEY = LoginSucceeded.wire_type()
PART = 5000


async def fill(platform: Platform, events: int) -> None:
    """Put the events into audit's queue, as a relay packs them."""
    async with Speaker(platform.broker("identity"), "identity") as speaker:
        for group in logins(events, operators(200, 25)):
            await speaker.publish_raw(encode(group), "events", KEY)


async def ours(platform: Platform, events: int, processes: int) -> float:
    """Rows a second until the last one is committed, by one or more processes of audit."""
    await fill(platform, events)
    environment = platform.settings("audit")
    started: list[Any] = []
    begun = time.perf_counter()
    for _ in range(processes):
        started.append(await serve(platform, environment))
    connection = await asyncpg.connect(platform.owner_database("audit"))
    try:
        first = await connection.fetchval("select rows from log")
        before = first
        while before == first:
            before = await connection.fetchval("select rows from log")
        begun, counted, now = time.perf_counter(), before, before
        while now < first + events:
            await asyncio.sleep(0.05)
            now = await connection.fetchval("select rows from log")
        rate = (now - counted) / (time.perf_counter() - begun)
        assert await connection.fetchval("select count(*) from history") == now
    finally:
        await connection.close()
        for process in started:
            process.terminate()
            await process.wait()
        print(f"   most memory of a process: {memory():,.0f} MiB")
    return float(rate)


def memory() -> float:
    """The most memory any finished child used, MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


async def serve(platform: Platform, settings: Any) -> Any:
    """`python -m audit serve` as its own process."""
    import os
    import sys

    given = as_environment(settings)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "audit", "serve",
        env=os.environ | given | {"AUDIT_LOG_LEVEL": "ERROR", "PYTHONPATH": "services:shared"},
    )  # fmt: skip


def rows(events: int) -> list[Row]:
    """The rows that the events become."""
    from datetime import UTC, datetime

    found = []
    for group in logins(events, operators(200, 25)):
        for envelope in decode(encode(group)):
            assert isinstance(envelope, Envelope)
            row = row_of(envelope, datetime.now(UTC))
            assert row is not None
            found.append(row)
    return found


async def copy_on_conflict(platform: Platform, events: int) -> float:
    """PostgreSQL alone: COPY to a temporary table and INSERT … ON CONFLICT, partitions, one key and one index."""
    given = rows(events)
    connection = await asyncpg.connect(platform.owner_database("audit"))
    try:
        await connection.execute(
            """
            create table limit_rows (like history) partition by range (performed_at);
            create table limit_rows_all partition of limit_rows for values from (minvalue) to (maxvalue);
            alter table limit_rows add primary key (id, performed_at);
            create index on limit_rows (policyholder_code, user_id, performed_at);
            create temp table coming (like limit_rows);
            """
        )
        begun = time.perf_counter()
        for start in range(0, events, PART):
            lines = b"".join(b"%d\t%b\n" % (n, row.text) for n, row in enumerate(given[start : start + PART]))
            async with connection.transaction():
                await connection.copy_to_table(
                    "coming", source=BytesIO(lines), columns=("number", *COLUMNS), format="text"
                )
                await connection.execute("insert into limit_rows select * from coming on conflict do nothing")
                await connection.execute("truncate coming")
        return events / (time.perf_counter() - begun)
    finally:
        await connection.execute("drop table if exists limit_rows")
        await connection.close()


async def recorded(platform: Platform, events: int) -> float:
    """What PostgreSQL alone does for the same guarantees: numbered, chained, each id once, counted for searches."""
    given = rows(events)
    database = await Database.connect(platform.owner_database("audit"), source="audit", size=1)
    try:
        await log.make_months(database, given[0].day, given[-1].day)
        begun = time.perf_counter()
        for start in range(0, events, PART):
            async with database.transaction() as tx:
                await log.record(tx, given[start : start + PART], bytes)
        return events / (time.perf_counter() - begun)
    finally:
        await database.close()


async def one_at_a_time(platform: Platform, events: int) -> float:
    """The plain consumer: one message an event, one INSERT … ON CONFLICT and one acknowledgement each."""
    owner = await asyncpg.connect(platform.owner_database("audit"))
    await owner.execute("create table plain_rows (id uuid primary key, performed_at timestamptz, data jsonb)")
    broker = await aio_pika.connect(f"{platform.cluster.broker_url}/{platform.host}")
    try:
        channel = await broker.channel()
        queue = await channel.declare_queue("bench.plain", durable=True, arguments={"x-queue-type": "quorum"})
        sent = [
            asyncio.create_task(
                channel.default_exchange.publish(
                    aio_pika.Message(encode([one]), delivery_mode=aio_pika.DeliveryMode.PERSISTENT), queue.name
                )
            )
            for group in logins(events, operators(200, 25))
            for one in group
        ]
        await asyncio.gather(*sent)
        await channel.set_qos(prefetch_count=100)
        begun, left = time.perf_counter(), events
        async with queue.iterator() as deliveries:
            async for delivery in deliveries:
                (envelope,) = decode(delivery.body)
                assert isinstance(envelope, Envelope)
                await owner.execute(
                    "insert into plain_rows values ($1, $2, $3) on conflict do nothing",
                    envelope.id, envelope.time, delivery.body.decode(),
                )  # fmt: skip
                await delivery.ack()
                left -= 1
                if not left:
                    break
        return events / (time.perf_counter() - begun)
    finally:
        await broker.close()
        await owner.execute("drop table plain_rows")
        await owner.close()


async def measure(events: int, processes: int, rounds: int) -> None:
    """All shapes in turn."""
    async with stage() as platform:
        for _ in range(rounds):
            mine = await ours(platform, events, processes)
            limit = await copy_on_conflict(platform, min(events, 100_000))
            same = await recorded(platform, min(events, 100_000))
            plain = await one_at_a_time(platform, min(events, 5_000))
            print(f"broker → committed row, {processes} process(es)   {mine:>9,.0f} rows/s")
            print(f"COPY + ON CONFLICT alone               {limit:>9,.0f} rows/s   ours {mine / limit:.2f} ×")
            print(f"the same guarantees without the broker {same:>9,.0f} rows/s   ours {mine / same:.2f} ×")
            print(f"one row at a time                      {plain:>9,.0f} rows/s   ours {mine / plain:.1f} ×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.events, chosen.processes, chosen.rounds))
