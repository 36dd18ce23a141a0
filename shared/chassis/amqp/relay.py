"""Carries the outbox to the broker: numbers what was committed, publishes it in windows with confirms, forgets it."""

import asyncio
from typing import Any

import asyncpg
from yarl import URL

from chassis.amqp.connection import connected, persist, until_closed
from chassis.amqp.outlet import Outlet
from chassis.messages import OutboxPosition
from chassis.sql import KEEPALIVES, Database

WINDOW = 2000
IDLE_SECONDS = 1.0
ANNOUNCE_PAUSE_SECONDS = 0.005  # NOTIFY in every commit would cost up to 60 % of the commits
POSITION_SECONDS = 5.0
LEADER_LOCK = 0x7265_6C61  # 'rela'
RETRY_SECONDS = 1.0
STATEMENT_SECONDS = 10.0  # a database that vanished without a word is noticed by the next statement
SESSION = {"application_name": "relay", "idle_session_timeout": "20s", "tcp_user_timeout": "20s", **KEEPALIVES}
"""A leader that vanished without a word holds the lock no longer than that; one that lives asks every second. The
keepalives are for one that vanished in the middle of a statement: the server then waits for its rest, and is not idle.
"""

NUMBER = """
with fresh as materialized (
    select place, exchange, row_number() over (partition by exchange order by place) as n,
           count(*) over (partition by exchange) as many
      from (select place, exchange from outbox
             where sequence is null and type <> all($2::text[]) order by place limit $1) waiting
), numbered as (
    insert into relay_positions as known (exchange, last_sequence)
    select distinct exchange, many from fresh
        on conflict (exchange) do update set last_sequence = known.last_sequence + excluded.last_sequence
    returning exchange, last_sequence
)
update outbox set sequence = last_sequence - many + n
  from fresh join numbered using (exchange)
 where outbox.place = fresh.place
returning outbox.*
"""

LEFTOVERS = """
select * from outbox where sequence is not null and type <> all($2::text[]) order by exchange, sequence limit $1
"""

POSITION = """
select 0 as place, gen_random_uuid() as id, exchange, $1 as type, now() as occurred_at, null as traceparent,
       json_build_object('last', last_sequence)::text as data, null::bigint as sequence
  from relay_positions where exchange = 'events'
"""


class Relay:
    """One for each process; of all processes of a service the one that holds the lock carries the outbox."""

    def __init__(self, database: Database, owner_dsn: str, broker_urls: dict[str, str]) -> None:
        """`broker_urls` names the broker for each exchange; exchanges that are not named use the one under ''."""
        self._database = database
        self._dsn = owner_dsn
        self._urls = broker_urls
        self._wake = asyncio.Event()
        self._announce = asyncio.Event()
        self._leading = False
        self._position_type = f"{database.source}.{OutboxPosition.NAME}"
        self._position_due = 0.0
        database.committed = self._committed

    def _committed(self) -> None:
        self._wake.set()
        if not self._leading:
            self._announce.set()

    async def run(self) -> None:
        """Until cancelled: lead when no other process does, else tell the leader about new commits."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(persist("relay", self._lead))
            tasks.create_task(persist("announce", self._announcements))

    async def _announcements(self) -> None:
        while True:
            await self._announce.wait()
            self._announce.clear()
            if not self._leading:
                await self._database.execute("select pg_notify('outbox', '')")
            await asyncio.sleep(ANNOUNCE_PAUSE_SECONDS)

    async def _lead(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=5, command_timeout=STATEMENT_SECONDS, server_settings=SESSION
        )
        try:
            # Not pg_advisory_lock: its wait has no end when the database vanishes, nor for one who died while waiting.
            while not await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK):
                await asyncio.sleep(RETRY_SECONDS)
            self._leading = True
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            async with connected(self._urls[""], "relay") as broker:
                closed = asyncio.create_task(until_closed(broker))
                try:
                    outlet = Outlet(broker, self._database.source, URL(self._urls[""]).user)
                    await self._carry(connection, outlet, closed)
                finally:
                    closed.cancel()
        finally:
            self._leading = False
            connection.terminate()

    async def _carry(self, connection: Any, outlet: Outlet, closed: asyncio.Task[None]) -> None:
        while not closed.done():
            self._wake.clear()
            rows = await self._next(connection, outlet.resting())
            confirmed = await outlet.publish(rows) if rows else []
            if confirmed:
                await connection.execute("delete from outbox where place = any($1::bigint[])", confirmed)
            if outlet.refused:
                await self._note(connection, outlet)
            elif len(confirmed) < len(rows):
                await asyncio.sleep(IDLE_SECONDS)
            elif len(rows) < WINDOW:
                await self._say_position(connection, outlet)
                await self._rest(closed)

    async def _next(self, connection: Any, resting: list[str]) -> list[Any]:
        """What an earlier leader numbered and could not confirm goes first, then what is new."""
        rows: list[Any] = await connection.fetch(LEFTOVERS, WINDOW, resting)
        if (room := WINDOW - len(rows)) > 0:
            rows += sorted(await connection.fetch(NUMBER, room, resting), key=lambda row: row["place"])
        return rows

    async def _note(self, connection: Any, outlet: Outlet) -> None:
        """Say in the outbox why these still wait."""
        for kind, reason in outlet.refused.items():
            await connection.execute(
                "update outbox set refused = $2 where type = $1 and sequence is not null", kind, reason[:500]
            )
        outlet.refused.clear()

    async def _say_position(self, connection: Any, outlet: Outlet) -> None:
        """The outbox is empty: say how far it was numbered, or the loss of its last event would show with the next."""
        now = asyncio.get_running_loop().time()
        if now >= self._position_due:
            await outlet.publish(await connection.fetch(POSITION, self._position_type))
            self._position_due = now + POSITION_SECONDS

    async def _rest(self, closed: asyncio.Task[None]) -> None:
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waking, closed}, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
