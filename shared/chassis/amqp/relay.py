"""Carries the outbox to the broker: numbers what was committed, publishes it in windows with confirms, forgets it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import aio_pika
import asyncpg
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange
from prometheus_client import Counter, Gauge
from yarl import URL

from chassis.amqp.connection import connected, persist, reraise_if_cancelled, until_closed
from chassis.messages import BATCH, Envelope, OutboxPosition, encode
from chassis.sql import Database

log = structlog.get_logger()

WINDOW = 2000
MOST_PER_MESSAGE = 500
MOST_BYTES_PER_MESSAGE = 256 * 1024
CONFIRM_SECONDS = 10.0
IDLE_SECONDS = 1.0
ANNOUNCE_PAUSE_SECONDS = 0.005  # NOTIFY in every commit would cost up to 60 % of the commits
POSITION_SECONDS = 5.0
LEADER_LOCK = 0x7265_6C61  # 'rela'

PUBLISHED = Counter("outbox_published_events_total", "Events confirmed by the broker", ["type"])
UNPUBLISHED = Gauge("outbox_waiting_events", "Events committed and not yet confirmed by the broker")

NUMBER = """
with fresh as materialized (
    select place, exchange, row_number() over (partition by exchange order by place) as n,
           count(*) over (partition by exchange) as many
      from (select place, exchange from outbox where sequence is null order by place limit $1) waiting
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
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings={"application_name": "relay"})
        try:
            await connection.execute("select pg_advisory_lock($1)", LEADER_LOCK)
            self._leading = True
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            async with connected(self._urls[""], "relay") as broker:
                channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
                closed = asyncio.create_task(until_closed(broker))
                try:
                    await self._carry(connection, channel, closed)
                finally:
                    closed.cancel()
        finally:
            self._leading = False
            connection.terminate()

    async def _carry(self, connection: Any, channel: AbstractChannel, closed: asyncio.Task[None]) -> None:
        exchanges: dict[str, AbstractExchange] = {}
        while not closed.done():
            self._wake.clear()
            # What an earlier leader numbered and could not confirm goes first, then what is new.
            rows = await connection.fetch(
                "select * from outbox where sequence is not null order by exchange, sequence limit $1", WINDOW
            )
            leftovers = len(rows)
            if leftovers < WINDOW:
                rows += sorted(await connection.fetch(NUMBER, WINDOW - leftovers), key=lambda row: row["place"])
            confirmed = await self._publish(channel, exchanges, rows) if rows else []
            if confirmed:
                await connection.execute("delete from outbox where place = any($1::bigint[])", confirmed)
            UNPUBLISHED.set(len(rows) - len(confirmed))
            if len(confirmed) < len(rows):
                await asyncio.sleep(IDLE_SECONDS)
            elif len(rows) < WINDOW:
                await self._say_position(connection, channel, exchanges)
                await self._rest(closed)

    async def _say_position(
        self, connection: Any, channel: AbstractChannel, known: dict[str, AbstractExchange]
    ) -> None:
        """The outbox is empty: say how far it was numbered, or the loss of its last event would show with the next."""
        now = asyncio.get_running_loop().time()
        if now >= self._position_due:
            await self._publish(channel, known, await connection.fetch(POSITION, self._position_type))
            self._position_due = now + POSITION_SECONDS

    async def _rest(self, closed: asyncio.Task[None]) -> None:
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waking, closed}, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()

    async def _publish(
        self, channel: AbstractChannel, exchanges: dict[str, AbstractExchange], rows: Sequence[Any]
    ) -> list[int]:
        """Publish the rows, many events of one type to a message; answers the places that the broker confirmed."""
        messages = pack(rows)
        async with asyncio.timeout(CONFIRM_SECONDS):
            for name in {exchange for exchange, _, _ in messages} - exchanges.keys():
                exchanges[name] = await channel.get_exchange(name, ensure=False)
            results = await asyncio.gather(
                *(self._send(exchanges[exchange], kind, group) for exchange, kind, group in messages)
            )
        return [place for confirmed in results for place in confirmed]

    async def _send(self, exchange: AbstractExchange, kind: str, rows: Sequence[Any]) -> list[int]:
        message = aio_pika.Message(
            encode((_envelope(self._database.source, row), row["data"]) for row in rows),
            content_type=BATCH,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(rows[0]["id"]),
            user_id=URL(self._urls[""]).user,
        )
        try:
            await exchange.publish(message, routing_key=kind, mandatory=True, timeout=CONFIRM_SECONDS)
        except (aio_pika.exceptions.PublishError, aio_pika.exceptions.DeliveryError) as error:
            # Unroutable or refused: stays in the outbox and is tried again; the others go on.
            log.error("event_not_accepted", type=kind, events=len(rows), error=type(error).__name__)
            return []
        except asyncio.CancelledError as error:
            reraise_if_cancelled(error)
            raise ConnectionError("the broker went away while a message was being confirmed") from error
        PUBLISHED.labels(kind).inc(len(rows))
        return [row["place"] for row in rows]


def pack(rows: Sequence[Any]) -> list[tuple[str, str, list[Any]]]:
    """Rows into messages of one exchange and type each; order is kept within a type."""
    full: list[tuple[str, str, list[Any]]] = []
    filling: dict[tuple[str, str], list[Any]] = {}
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        key = (row["exchange"], row["type"])
        size = len(row["data"])
        group = filling.get(key)
        if group is None or len(group) >= MOST_PER_MESSAGE or sizes[key] + size > MOST_BYTES_PER_MESSAGE:
            group = filling[key] = []
            sizes[key] = 0
            full.append((*key, group))
        group.append(row)
        sizes[key] += size
    return full


def _envelope(source: str, row: Any) -> Envelope:
    return Envelope(row["id"], row["type"], f"/{source}", row["occurred_at"], None, row["sequence"], row["traceparent"])
