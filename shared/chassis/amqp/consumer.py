"""Brings a queue's messages to its listeners: each event once, none lost, acknowledged only after the commit."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from prometheus_client import Counter

from chassis import trace
from chassis.amqp import parked
from chassis.amqp.connection import connected, until_closed
from chassis.amqp.listeners import Bound, Listeners, Park
from chassis.messages import Envelope, Message, Received, Unreadable, decode, encode_one, explain
from chassis.sql import Busy, Database, Tx

log = structlog.get_logger()

HELD_PAUSE_SECONDS = 1.0
STATEMENT_SECONDS = 30.0  # nobody waits for a listener; a big batch may take its time
WATCH_SECONDS = 15.0
TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
DATABASE_AWAY = (
    OSError,
    Busy,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)

HEARD = Counter("listener_events_total", "Events by what became of them", ["queue", "outcome"])


class Consumer:
    """One queue of one service."""

    def __init__(self, service: str, listeners: Listeners, database: Database, provides: Mapping[type, object]) -> None:
        self.queue = f"{service}.{listeners.name}"
        self._listeners = listeners
        self._database = database
        self._batch = listeners.bound_batch(provides) if listeners.batch_handler else None
        self._handlers = listeners.bound(provides)
        self.attached = False

    async def consume(self, url: str) -> None:
        """Consume until the connection is lost (raises ConnectionError) or the task is cancelled."""
        async with connected(url, self.queue) as connection, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume(connection, self.queue, self._handle))
            tasks.create_task(self._consume(connection, f"{self.queue}.dead", self._bury))
            tasks.create_task(self._watch(connection))

    async def _watch(self, connection: AbstractConnection) -> None:
        """A consumer that the broker forgot (queue re-created, node gone) is noticed here, not by a customer."""
        closed = asyncio.create_task(until_closed(connection))
        try:
            while not closed.done():
                channel = await connection.channel(publisher_confirms=False)
                state = await channel.declare_queue(self.queue, passive=True)
                if self.attached and not state.declaration_result.consumer_count:
                    raise ConnectionError("the broker forgot the consumer")
                await channel.close()
                await asyncio.wait({closed}, timeout=WATCH_SECONDS)
        finally:
            closed.cancel()
        raise ConnectionError("the connection was closed")

    async def _consume(
        self, connection: AbstractConnection, name: str, handle: Callable[[Sequence[AbstractIncomingMessage]], Any]
    ) -> None:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=self._listeners.prefetch)
        queue = await channel.declare_queue(name, passive=True)
        waiting: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(waiting.put)
        self.attached = self.attached or name == self.queue
        try:
            while True:
                batch = [await waiting.get()]
                while not waiting.empty() and len(batch) < self._listeners.prefetch:
                    batch.append(waiting.get_nowait())
                await handle(batch)
                await batch[-1].ack(multiple=True)
        finally:
            self.attached = False

    async def _handle(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        if self._batch is not None:
            await self._handle_in_batches(deliveries)
            return
        for delivery in deliveries:
            for envelope in await self._readable(delivery):
                await self._hear(envelope)

    async def _handle_in_batches(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        """Read the next messages while the database records the ones before; at most two batches are in memory."""
        most = self._listeners.batch_most
        read: list[Envelope] = []
        recording: asyncio.Task[None] | None = None
        try:
            for delivery in deliveries:
                read += await self._readable(delivery)
                await asyncio.sleep(0)  # reading a full message takes milliseconds in which nothing else runs
                while len(read) >= most or (read and delivery is deliveries[-1]):
                    if recording is not None:
                        await recording
                    recording = asyncio.create_task(self._hear_batch(read[:most]))
                    read = read[most:]
            if recording is not None:
                await recording
        finally:
            if recording is not None and not recording.done():
                recording.cancel()
                await asyncio.gather(recording, return_exceptions=True)

    async def _readable(self, delivery: AbstractIncomingMessage) -> list[Envelope]:
        try:
            found = decode(delivery.body)
        except Unreadable as reason:
            await self._quarantine(delivery.body, str(reason))
            return []
        good = []
        for one in found:
            if isinstance(one, Unreadable):
                await self._quarantine(delivery.body, str(one))
            elif because := foreign(one, delivery):
                await self._quarantine(encode_one(one), because, one)
            else:
                good.append(one)
        return good

    async def _quarantine(self, body: bytes, reason: str, envelope: Envelope | None = None) -> None:
        await self._in_transaction(lambda tx: parked.quarantine(tx, self.queue, body, reason, envelope))
        HEARD.labels(self.queue, "unreadable").inc()

    async def _hear_batch(self, envelopes: Sequence[Envelope]) -> None:
        assert self._batch is not None
        batch = self._batch

        async def record(tx: Tx) -> None:
            for envelope, reason in await batch(envelopes, tx):
                await parked.quarantine(tx, self.queue, encode_one(envelope), reason, envelope)
                HEARD.labels(self.queue, "unreadable").inc()

        try:
            await self._in_transaction(record)
            HEARD.labels(self.queue, "handled").inc(len(envelopes))
        except Exception as error:
            if len(envelopes) > 1:  # find the one that breaks the batch; the others go on
                middle = len(envelopes) // 2
                await self._hear_batch(envelopes[:middle])
                await self._hear_batch(envelopes[middle:])
                return
            await self._set_aside(envelopes[0], error)

    async def _hear(self, envelope: Envelope) -> None:
        try:
            await self._in_transaction(lambda tx: self._once(tx, envelope))
        except Exception as error:
            await self._set_aside(envelope, error)

    async def _once(self, tx: Tx, envelope: Envelope) -> None:
        if await parked.first_time(tx, self.queue, envelope.id):
            await self._dispatch(tx, envelope)
            HEARD.labels(self.queue, "handled").inc()
        else:
            HEARD.labels(self.queue, "repeated").inc()

    async def _dispatch(self, tx: Tx, envelope: Envelope) -> None:
        kind, handler = self._kind(envelope)
        try:
            message = kind.model_validate(envelope.data)
        except ValueError as error:
            raise Unreadable(explain(error)) from None
        trace.use(envelope.traceparent)
        await handler(Received(message, envelope), tx)

    def _kind(self, envelope: Envelope) -> tuple[type[Message], Bound]:
        found = self._handlers.get(envelope.type)
        if found is None:
            raise Unreadable("type: unknown here")
        return found

    async def _set_aside(self, envelope: Envelope, error: Exception) -> None:
        """Park what its handler refused or broke on; the queue goes on with the next one."""
        reason, retry, key = verdict(error)
        HEARD.labels(self.queue, "parked").inc()
        log.warning("event_set_aside", queue=self.queue, type=envelope.type, id=str(envelope.id), reason=reason)

        async def put(tx: Tx) -> None:
            first = await parked.first_time(tx, self.queue, envelope.id)
            if isinstance(error, Unreadable):
                await parked.quarantine(tx, self.queue, encode_one(envelope), reason, envelope)
            elif first:
                await parked.park(tx, self.queue, envelope, reason, retry=retry, key=key)

        await self._in_transaction(put)

    async def _bury(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        """What the broker gave up on (delivery limit) is parked for an operator like everything else."""
        for delivery in deliveries:
            for envelope in await self._readable(delivery):
                await self._in_transaction(
                    lambda tx, e=envelope: parked.park(tx, self.queue, e, "delivery limit reached", retry=False)  # type: ignore[misc]
                )

    async def retry_due(self) -> bool:
        """Try the next parked event whose pause is over; answers whether there was one."""
        claimed: Any = None
        try:
            async with self._database.transaction() as tx:
                claimed = await parked.claim_due(tx, [self.queue])
                if claimed is None:
                    return False
                await self._again(tx, claimed)
                await parked.done(tx, claimed["number"])
        except DATABASE_AWAY:
            raise
        except Exception as error:
            reason, retry, _ = verdict(error)
            async with self._database.transaction() as tx:
                await parked.failed(tx, claimed["number"], reason, retry=retry)
        return True

    async def _again(self, tx: Tx, row: Any) -> None:
        for one in decode(row["body"]):
            if isinstance(one, Unreadable):
                raise one
            if self._batch is not None:
                for _, reason in await self._batch([one], tx):
                    raise Unreadable(reason)
            else:
                await parked.first_time(tx, self.queue, one.id)
                await self._dispatch(tx, one)

    async def _in_transaction(self, work: Callable[[Tx], Any]) -> None:
        """Run `work`; while the database is away hold the message and wait, never give it back to be counted."""
        while True:
            try:
                async with self._database.transaction(statement_seconds=STATEMENT_SECONDS) as tx:
                    await work(tx)
                return
            except TRANSIENT:
                continue
            except DATABASE_AWAY as error:
                log.warning("holding", queue=self.queue, error=type(error).__name__)
                await asyncio.sleep(HELD_PAUSE_SECONDS)


def verdict(error: Exception) -> tuple[str, bool, str | None]:
    """Reason, whether to try again, and the key it waits for. Never the text of a database error: it quotes values."""
    if isinstance(error, Park):
        return error.reason, error.retry, error.key
    if isinstance(error, Unreadable):
        return str(error), False, None
    if isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__} {error.sqlstate}", True, None
    return f"{type(error).__name__} in {_place(error)}", True, None


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "?" if traceback is None else f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"


def foreign(envelope: Envelope, delivery: AbstractIncomingMessage) -> str | None:
    """Why this event was not said by the one it claims to be from; the broker vouches for `user_id` (T13)."""
    if delivery.exchange != "events":
        return None
    speaker = envelope.type.partition(".")[0]
    if delivery.user_id != speaker:
        return "source: the sender may not speak for this service"
    return None
