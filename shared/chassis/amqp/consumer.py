"""Brings a queue's messages to its listeners and acknowledges them after the commit; notices when it is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from chassis.amqp.connection import connected, reraise_if_cancelled, until_closed
from chassis.amqp.hearing import Hearing
from chassis.amqp.listeners import Listeners
from chassis.sql import Database

WATCH_SECONDS = 15.0
GROUP_BYTES = 2_000_000  # some 4,000 events: enough for one transaction, and small in memory


class Consumer:
    """One queue of one service."""

    def __init__(self, service: str, listeners: Listeners, database: Database, provides: Mapping[type, object]) -> None:
        self.queue = f"{service}.{listeners.name}"
        self.hearing = Hearing(self.queue, listeners, database, provides)
        self._prefetch = listeners.prefetch
        self._at_once = 2 if listeners.batch_handler else 1  # the one is read while the database records the other
        self.attached = False

    async def consume(self, url: str) -> None:
        """Consume until the connection is lost (raises ConnectionError) or the task is cancelled."""
        async with connected(url, self.queue) as connection, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume(connection, self.queue, self.hearing.handle))
            tasks.create_task(self._consume(connection, f"{self.queue}.dead", self.hearing.bury))
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
        self,
        connection: AbstractConnection,
        name: str,
        handle: Callable[[Sequence[AbstractIncomingMessage]], Awaitable[None]],
    ) -> None:
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=self._prefetch)
        queue = await channel.declare_queue(name, passive=True)
        waiting: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(waiting.put)
        self.attached = self.attached or name == self.queue
        turns = asyncio.Semaphore(self._at_once)
        handling: asyncio.Task[None] | None = None

        async def work(group: Sequence[AbstractIncomingMessage], before: asyncio.Task[None] | None) -> None:
            try:
                await handle(group)
                if before is not None:  # acknowledging the last of a group acknowledges everything before it
                    await before
                await group[-1].ack(multiple=True)
            except asyncio.CancelledError as error:
                reraise_if_cancelled(error)
                raise ConnectionError("the broker went away before it heard what was done") from error
            turns.release()

        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await turns.acquire()
                    handling = tasks.create_task(work(await _group(waiting), handling))
        finally:
            self.attached = False


async def _group(waiting: asyncio.Queue[AbstractIncomingMessage]) -> Sequence[AbstractIncomingMessage]:
    """Whatever is there, at least one, and never waiting for more."""
    found = [await waiting.get()]
    size = len(found[0].body)
    while not waiting.empty() and size < GROUP_BYTES:
        found.append(waiting.get_nowait())
        size += len(found[-1].body)
    return found
