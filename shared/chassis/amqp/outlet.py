"""The way out: rows of the outbox packed into messages, published with confirms; what is refused rests for a while."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelClosed, DeliveryError, PublishError
from prometheus_client import Counter

from chassis import trace
from chassis.amqp import traces
from chassis.amqp.connection import reraise_if_cancelled
from chassis.messages import BATCH, Envelope, encode

log = structlog.get_logger()

MOST_PER_MESSAGE = 500
MOST_BYTES_PER_MESSAGE = 256 * 1024
CONFIRM_SECONDS = 10.0
REFUSED_SECONDS = 10.0

PUBLISHED = Counter("outbox_published_events_total", "Events confirmed by the broker", ["type"])

Packed = tuple[str, str, list[Any]]
"""Exchange, type and rows of one message."""


class Outlet:
    """Publishes on one connection.

    A type that the broker refuses (no right to say it, nobody listens) rests for some seconds, so that its rows neither
    close the channel under the others again and again nor fill their windows.
    """

    def __init__(self, connection: AbstractConnection, source: str, user: str | None) -> None:
        self._connection = connection
        self._source, self._user = source, user
        self._channel: AbstractChannel | None = None
        self._not_accepted = False
        self._record = trace.recorder()
        self._resting: dict[str, float] = {}
        self.refused: dict[str, str] = {}
        """What was refused since somebody last looked: type → why."""

    def resting(self) -> list[str]:
        """The types that are not to be tried now."""
        now = asyncio.get_running_loop().time()
        self._resting = {kind: until for kind, until in self._resting.items() if until > now}
        return list(self._resting)

    async def publish(self, rows: Sequence[Any]) -> list[int]:
        """Publish the rows, many events of one type to a message; answers the places that the broker confirmed."""
        messages = pack(rows)
        results = await self._together(messages)
        if any(isinstance(result, ChannelClosed) for result in results):
            # The broker has closed the channel over one of them and does not say which.
            for place, message in enumerate(messages):
                if isinstance(results[place], ChannelClosed):
                    (results[place],) = await self._together([message])
                    if isinstance(refusal := results[place], ChannelClosed):
                        self._refuse(message, str(refusal))
                        results[place] = []
        confirmed = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            confirmed += result
        return confirmed

    async def _together(self, messages: Sequence[Packed]) -> list[list[int] | BaseException]:
        async with asyncio.timeout(CONFIRM_SECONDS):
            channel = await self._open()
            return await asyncio.gather(*(self._send(channel, one) for one in messages), return_exceptions=True)

    async def _open(self) -> AbstractChannel:
        """The channel, or a new one when it is closed or something was not accepted on it.

        RabbitMQ 3.10 binds a channel to the node that led a queue when the channel first published to it: if that node
        was away then, everything for this queue is refused there until the node is back, whoever leads the queue now.
        """
        if self._channel is not None and self._not_accepted:
            await self._channel.close()
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._not_accepted = False
        return self._channel

    async def _send(self, channel: AbstractChannel, packed: Packed) -> list[int]:
        name, kind, rows = packed
        begun = time.time_ns()
        message = aio_pika.Message(
            encode((_envelope(self._source, row), row["data"]) for row in rows),
            content_type=BATCH,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(rows[0]["id"]),
            user_id=self._user,
        )
        try:
            exchange = await channel.get_exchange(name, ensure=False)
            await exchange.publish(message, routing_key=kind, mandatory=True, timeout=CONFIRM_SECONDS)
        except PublishError:
            self._refuse(packed, "no queue takes it")
            return []
        except DeliveryError:
            log.warning("event_not_accepted", type=kind, events=len(rows))  # the queue has no leader now, or is full
            self._not_accepted = True
            return []
        except asyncio.CancelledError as error:
            reraise_if_cancelled(error)
            raise ConnectionError("the broker went away while a message was being confirmed") from error
        PUBLISHED.labels(kind).inc(len(rows))
        traces.published(self._record, rows, begun)
        return [row["place"] for row in rows]

    def _refuse(self, packed: Packed, reason: str) -> None:
        _, kind, rows = packed
        log.error("event_refused", type=kind, events=len(rows), reason=reason)
        self.refused[kind] = reason
        self._resting[kind] = asyncio.get_running_loop().time() + REFUSED_SECONDS


def pack(rows: Sequence[Any]) -> list[Packed]:
    """Rows into messages of one exchange and type each; order is kept within a type."""
    full: list[Packed] = []
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
