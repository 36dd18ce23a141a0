"""What a queue brings is heard: each event once, in its own transaction or in batches; what fails is set aside."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import Counter

from chassis import trace
from chassis.amqp import parked, traces
from chassis.amqp.listeners import Bound, Listeners
from chassis.amqp.verdicts import foreign, verdict
from chassis.messages import Envelope, Message, Received, Unreadable, decode, encode_one, explain
from chassis.sql import DATABASE_AWAY, TRANSIENT, Database, Tx

log = structlog.get_logger()

HELD_PAUSE_SECONDS = 1.0
STATEMENT_SECONDS = 30.0  # nobody waits for a listener; a big batch may take its time

HEARD = Counter("listener_events_total", "Events by what became of them", ["queue", "outcome"])


class Hearing:
    """The listeners of one queue, at work."""

    def __init__(self, queue: str, listeners: Listeners, database: Database, provides: Mapping[type, object]) -> None:
        self.queue = queue
        self._listeners = listeners
        self._database = database
        self._batch = listeners.bound_batch(provides) if listeners.batch_handler else None
        self._handlers = listeners.bound(provides)
        self._exchanges = {key: exchange for exchange, key in listeners.bindings}
        self._record = trace.recorder()

    async def handle(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        """Everything in these messages is heard, set aside or quarantined when this returns."""
        if self._batch is not None:
            await self._handle_in_batches(deliveries)
            return
        for delivery in deliveries:
            for envelope in await self._readable(delivery):
                await self._hear(envelope)

    async def _handle_in_batches(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        most = self._listeners.batch_most
        read: list[Envelope] = []
        for delivery in deliveries:
            read += await self._readable(delivery)
            await asyncio.sleep(0)  # reading a full message takes milliseconds in which nothing else runs
        for start in range(0, len(read), most):
            await self._hear_batch(read[start : start + most])

    async def _readable(self, delivery: AbstractIncomingMessage) -> list[Envelope]:
        try:
            found = decode(delivery.body)
        except Unreadable as reason:
            found = [reason]
        sender = delivery.user_id or ""
        if broken := dict.fromkeys(str(one) for one in found if isinstance(one, Unreadable)):
            await self._quarantine(delivery.body, "; ".join(broken), None, sender)
        good = []
        for one in found:
            if isinstance(one, Unreadable):
                continue
            if because := self._foreign(one, sender, delivery.exchange):
                await self._quarantine(encode_one(one), because, one, sender)
            else:
                good.append(one)
        return good

    def _foreign(self, envelope: Envelope, sender: str, exchange: str | None) -> str | None:
        """Events are the sender's own, by the exchange they came through or, what came from a dead-letter queue or the
        quarantine, by the one they should have come through; commands and the partner's words the broker guards.
        """
        first, _ = self._listeners.bindings[0]
        if "events" in (exchange, self._exchanges.get(envelope.type, first)):
            return foreign(envelope, sender)
        return None

    async def _quarantine(self, body: bytes, reason: str, envelope: Envelope | None, sender: str) -> None:
        await self._in_transaction(lambda tx: parked.quarantine(tx, self.queue, body, reason, envelope, sender))
        HEARD.labels(self.queue, "unreadable").inc()

    async def _hear_batch(self, envelopes: Sequence[Envelope]) -> None:
        assert self._batch is not None
        batch = self._batch

        async def record(tx: Tx) -> None:
            for envelope, reason in await batch(envelopes, tx):
                await parked.quarantine(tx, self.queue, encode_one(envelope), reason, envelope)
                HEARD.labels(self.queue, "unreadable").inc()

        begun = time.time_ns()
        try:
            await self._in_transaction(record)
            traces.heard(self._record, self.queue, envelopes, begun)
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
        with traces.hearing(self._record, self.queue, envelope):
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

    async def bury(self, deliveries: Sequence[AbstractIncomingMessage]) -> None:
        """What the broker gave up on (delivery limit) is tried again apart from the queue, each event for itself."""
        for delivery in deliveries:
            for envelope in await self._readable(delivery):
                await self._in_transaction(partial(self._give_up, envelope))

    async def _give_up(self, envelope: Envelope, tx: Tx) -> None:
        """Only what was not heard: the crash that used up the deliveries may have come after a part of the message.

        A crash counts against everything that is unacknowledged, so most of it is healthy and will be heard.
        """
        if await parked.first_time(tx, self.queue, envelope.id):
            await parked.park(tx, self.queue, envelope, "delivery limit reached", retry=True)

    async def retry_due(self) -> bool:
        """Try the next parked event whose pause is over; answers whether there was one.

        The try is counted and committed before it is made: an event that kills its process comes to rest too.
        """
        async with self._database.transaction() as tx:
            claimed = await parked.claim_due(tx, [self.queue])
        if claimed is None:
            return False
        try:
            async with self._database.transaction(statement_seconds=STATEMENT_SECONDS) as tx:
                if await parked.hold(tx, claimed["number"]):
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
            if row["sender"] is not None and (because := self._foreign(one, row["sender"], None)):
                raise Unreadable(because)
            if self._batch is not None:
                for _, reason in await self._batch([one], tx):
                    raise Unreadable(reason)
            elif await parked.first_time(tx, self.queue, one.id) or row["id"] == one.id:
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
