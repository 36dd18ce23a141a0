"""Brings a queue's messages to its listeners and acknowledges them after the commit; notices when it is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from chassis.amqp.connection import connected, until_closed
from chassis.amqp.hearing import Hearing
from chassis.amqp.listeners import Listeners
from chassis.sql import Database

WATCH_SECONDS = 15.0


class Consumer:
    """One queue of one service."""

    def __init__(self, service: str, listeners: Listeners, database: Database, provides: Mapping[type, object]) -> None:
        self.queue = f"{service}.{listeners.name}"
        self.hearing = Hearing(self.queue, listeners, database, provides)
        self._prefetch = listeners.prefetch
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
        try:
            while True:
                batch = [await waiting.get()]
                while not waiting.empty() and len(batch) < self._prefetch:
                    batch.append(waiting.get_nowait())
                await handle(batch)
                await batch[-1].ack(multiple=True)
        finally:
            self.attached = False
