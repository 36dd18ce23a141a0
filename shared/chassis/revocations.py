"""Ended sessions and changed rights, heard by every process of every service before they are answered as done (L9)."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeGuard
from uuid import UUID

import aio_pika
import pydantic_core
import structlog
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage
from pydantic import BaseModel, ConfigDict
from yarl import URL

from chassis.amqp.connection import connected, until_closed
from chassis.amqp.topology import ACCESS
from chassis.messages import Envelope, Moment, Unreadable, decode

log = structlog.get_logger()

TOKEN_LIFE = timedelta(minutes=5)
PAST = 2 * TOKEN_LIFE  # how far back a starting process reads
BEAT_SECONDS = 1.0
ALIVE_SECONDS = 3.5  # a process that was silent for longer is not waited for
DEAF_SECONDS = 10.0  # whose beats do not come back for so long is no longer a consumer, whatever its connection says


class Revocation(BaseModel):
    """From now on refuse tokens that carry a version below `below` for `subject` (a session, a user, a company)."""

    model_config = ConfigDict(frozen=True)
    subject: str
    below: int


class _Word(BaseModel):
    """What the processes say to each other in the stream."""

    member: str
    at: Moment
    left: bool = False
    seen: tuple[UUID, ...] = ()


class _Revoked(BaseModel):
    """What the revocations of every service have in common."""

    revoked: tuple[Revocation, ...]


class Revocations:
    """This process' view of the `access` stream.

    Every process writes beats into the stream and reads the whole of it; its own beat coming back tells it that it has
    read everything before. A process that ends sessions waits until each living process has said that it has seen it.
    """

    def __init__(self, member: str, url: str) -> None:
        self.member = member
        self._url = url
        self._below: dict[str, tuple[int, float]] = {}
        self._beats: dict[str, datetime] = {}
        self._seen: dict[UUID, set[str]] = {}
        self._news = asyncio.Condition()
        self.caught_up = asyncio.Event()
        self._exchange: AbstractExchange | None = None
        self._heard_at = 0.0
        self._left = False

    def stale(self, versions: Mapping[str, int]) -> bool:
        """Whether a token with these versions has been revoked."""
        return any(self._below.get(subject, (0, 0.0))[0] > version for subject, version in versions.items())

    async def in_force(self, event_id: UUID, patience: float = 2.0) -> datetime | None:
        """Wait until every living process has seen the revocation that was emitted as `event_id`.

        Answers None when it is in force everywhere, else the moment from which it certainly is (tokens have lapsed):
        when the broker is away or a process has fallen silent without leaving.
        """
        try:
            async with asyncio.timeout(patience), self._news:
                while self._members(ALIVE_SECONDS) - self._seen.get(event_id, set()):
                    await self._news.wait()
        except TimeoutError:
            return datetime.now(UTC) + TOKEN_LIFE
        finally:
            waited_for = self._seen.get(event_id, set())
        missing = self._members(TOKEN_LIFE.total_seconds()) - waited_for
        return max(self._beats[one] for one in missing) + TOKEN_LIFE if missing else None

    def _members(self, seconds: float) -> set[str]:
        since = datetime.now(UTC) - timedelta(seconds=seconds)
        return {self.member, *(member for member, beat in self._beats.items() if beat >= since)}

    async def run(self) -> None:
        """Read the stream until the connection is lost or brings nothing any more, although this process' own beats
        must come (raises ConnectionError), or the task is cancelled.
        """
        async with connected(self._url, "access") as connection:
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=500)
            self._exchange = await channel.get_exchange(ACCESS, ensure=False)
            queue = await channel.get_queue(ACCESS, ensure=False)
            self._heard_at = time.monotonic()
            await queue.consume(self._read, arguments={"x-stream-offset": datetime.now(UTC) - PAST})
            closed = asyncio.create_task(until_closed(connection))
            try:
                while not closed.done():
                    await self._say({"beat": True})
                    if time.monotonic() - self._heard_at > DEAF_SECONDS:
                        raise ConnectionError("the broker forgot the consumer")
                    self._forget()
                    await asyncio.wait({closed}, timeout=BEAT_SECONDS)
                raise ConnectionError("the connection was closed")
            finally:
                closed.cancel()

    async def leave(self) -> None:
        """Tell the others not to wait for this process any more; no beat may bring it back."""
        self._left = True
        try:
            async with asyncio.timeout(1):
                await self._say({"left": True})
        except Exception as error:
            log.info("left_without_a_word", error=type(error).__name__)

    async def _say(self, word: dict[str, object]) -> None:
        if self._exchange is None or (self._left and "left" not in word):
            return
        body = pydantic_core.to_json({"member": self.member, "at": datetime.now(UTC), **word})
        message = aio_pika.Message(body, content_type="application/json", user_id=URL(self._url).user)
        await self._exchange.publish(message, routing_key="", timeout=3)

    async def _read(self, delivery: AbstractIncomingMessage) -> None:
        self._heard_at = time.monotonic()
        seen: list[str] = []
        try:
            if delivery.exchange == ACCESS:
                self._hear_member(_Word.model_validate_json(delivery.body))
            else:
                seen = [str(one.id) for one in decode(delivery.body) if self._hear_revocation(one)]
        except ValueError as error:
            log.error("unreadable_in_access_stream", error=type(error).__name__)
        if seen and self.caught_up.is_set():
            await self._say({"seen": seen})
        await delivery.ack()
        async with self._news:
            self._news.notify_all()

    def _hear_member(self, word: _Word) -> None:
        if word.left:
            self._beats.pop(word.member, None)
            return
        self._beats[word.member] = word.at
        for event_id in word.seen:
            self._seen.setdefault(event_id, set()).add(word.member)
        if word.member == self.member and datetime.now(UTC) - word.at < timedelta(seconds=ALIVE_SECONDS):
            self.caught_up.set()

    def _hear_revocation(self, envelope: Envelope | Unreadable) -> TypeGuard[Envelope]:
        """Whether it could be read; a broken one hides none of its neighbours."""
        try:
            if isinstance(envelope, Unreadable):
                raise envelope
            revoked = _Revoked.model_validate(envelope.data).revoked
        except ValueError as error:
            log.error("unreadable_revocation", error=type(error).__name__)
            return False
        for one in revoked:
            below = max(one.below, self._below.get(one.subject, (0, 0.0))[0])
            self._below[one.subject] = (below, time.monotonic())
        self._seen.setdefault(envelope.id, set()).add(self.member)
        return True

    def _forget(self) -> None:
        """Older than any living token: no use any more."""
        horizon = time.monotonic() - PAST.total_seconds()
        self._below = {subject: entry for subject, entry in self._below.items() if entry[1] > horizon}
        while len(self._seen) > 10_000:
            self._seen.pop(next(iter(self._seen)))
