"""Where senders take mails and hand in how they ended: mails are fetched ahead, ends are written down together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from chassis.sql import DATABASE_AWAY, Database
from notifier.sending.records import record
from notifier.store import deliveries
from notifier.store.deliveries import Claimed, End, Ended

log = structlog.get_logger()

POLL_SECONDS = 0.25
AWAY_SECONDS = 1.0
STALE_SECONDS = 1.0
LOOK_SECONDS = 2.0
GATHER_SECONDS = 0.002
"""While others are at work, the first end waits so long for theirs: one commit for six mails, not for two."""

Stack = deque[tuple[Claimed, float]]


class Desk:
    """All senders of a process share its transactions: a commit for each mail would be slower than sending it.

    A mail is committed as `sending` before it is handed out. A sender may prepare its next mail while the end of the
    last one is being written down, but must wait for that (`hand_in`) before it sends the next text: so a kill leaves
    at most one mail for each sender that the relay may have without our knowing.
    """

    def __init__(self, database: Database, sender: int, places: int) -> None:
        """`places`: how many senders there are; as many mails are fetched ahead."""
        self._database = database
        self.sender = sender
        self._places = places
        self._fresh: Stack = deque()
        self._again: Stack = deque()
        self._waiting: deque[tuple[asyncio.Future[Claimed], bool]] = deque()
        self._ended: list[tuple[Ended, asyncio.Future[None]]] = []
        self._wanted, self._written = asyncio.Event(), asyncio.Event()
        self._closed = False
        self._held: set[UUID] = set()
        self._doubted: set[UUID] = set()
        self._look_at = 0.0
        self.open = asyncio.Event()
        """Set while this process' lock is held: nothing is claimed before."""

    def wake(self) -> None:
        """There may be mails to fetch."""
        self._wanted.set()

    def hand_in(self, ended: Ended) -> asyncio.Future[None]:
        """Done when it is written down."""
        self._held.discard(ended.id)
        self._doubted.discard(ended.id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended.append((ended, done))
        self._written.set()
        return done

    def shut(self) -> None:
        """The lock is lost: others take over what we hold. Nothing more is claimed, and nothing of it is sent."""
        self.open.clear()
        self._give_back(0.0)
        self._doubted |= self._held

    def doubts(self, mail_id: UUID) -> bool:
        """Whether the lock was lost since this mail was claimed, so that another process may be sending it."""
        return mail_id in self._doubted

    async def take(self, *, fresh_only: bool) -> Claimed:
        """The next mail; `fresh_only`: one that was not tried before."""
        if self._closed:
            raise asyncio.CancelledError
        taken: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        self._waiting.append((taken, fresh_only))
        self._hand_out()
        return await taken

    async def close(self) -> None:
        """Hand out nothing more, send home who waits, give back what was fetched; returns when all is written down."""
        self._closed = True
        for taken, _ in self._waiting:
            taken.cancel()
        self._waiting.clear()
        self._give_back(0.0)
        while self._ended:
            await asyncio.sleep(0.01)

    async def fetch(self) -> None:
        """Until cancelled: keep mails ready."""
        while True:
            await self.open.wait()
            self._wanted.clear()
            if not await self._persisted(self._claim):
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wanted.wait()
                except TimeoutError:
                    pass

    async def write_down(self) -> None:
        """Until cancelled: write down ends, all that are there at a time."""
        while True:
            await self._written.wait()
            self._written.clear()
            await self._gather()
            await self._persisted(self._record)

    async def _gather(self) -> None:
        """Wait a moment for those who are still sending; who has handed in an end waits for us with the next mail."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                while len(self._held) - len(self._fresh) - len(self._again) > len(self._ended):
                    self._written.clear()
                    await self._written.wait()

    async def _persisted(self, work: Callable[[], Awaitable[bool]]) -> bool:
        while True:
            try:
                return await work()
            except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
                log.warning("desk_waits", error=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)

    async def _claim(self) -> bool:
        """Fetch; answers whether there may be more to fetch at once."""
        self._give_back(STALE_SECONDS)
        await self._give_back_unheard()
        fresh, again = len(self._fresh), len(self._again)
        if self._closed or fresh + again > self._places // 2:
            return False
        limits = (2 * self._places - fresh, max(1, self._places // 2) - again)
        mails = await deliveries.claim(self._database, self.sender, *limits)
        now = asyncio.get_running_loop().time()
        for mail in mails:
            (self._fresh if mail.attempts == 1 else self._again).append((mail, now))
        self._held.update(mail.id for mail in mails)
        if self._closed or not self.open.is_set():
            self._give_back(0.0)
        self._hand_out()
        return bool(mails)

    def _hand_out(self) -> None:
        """To whoever waits, in the order of their waiting."""
        left, before = [], len(self._fresh) + len(self._again)
        while self._waiting and (self._fresh or self._again):
            taken, fresh_only = self._waiting.popleft()
            stack = self._fresh if fresh_only else self._more_urgent()
            if taken.done():
                continue
            if stack:
                taken.set_result(stack.popleft()[0])
            else:
                left.append((taken, fresh_only))
        self._waiting.extendleft(reversed(left))
        # Only what was handed out makes room: an empty desk that asked again at once would never rest.
        if self._places // 2 >= len(self._fresh) + len(self._again) < before:
            self._wanted.set()

    def _more_urgent(self) -> Stack:
        """What was tried before, unless something more urgent is there."""
        if self._again and self._fresh:
            return self._fresh if self._fresh[0][0].urgency < self._again[0][0].urgency else self._again
        return self._again or self._fresh

    def _give_back(self, older: float) -> None:
        """What nobody took for a while (every sender waits for a slow relay) may be sent by another process."""
        before = asyncio.get_running_loop().time() - older
        for stack in (self._fresh, self._again):
            while stack and stack[0][1] <= before:
                self.hand_in(_returned(stack.popleft()[0].id))

    async def _give_back_unheard(self) -> None:
        """Every few seconds: what is ours in the database without our knowing, because a claim's answer was lost.

        The server may run a claim long after we gave up on it, so this is looked at again and again; and by the task
        that claims, so that no claim is under way whose answer is still to come.
        """
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        known = self._held | {one.id for one, _ in self._ended}
        for mail_id in await deliveries.held(self._database, self.sender):
            if mail_id not in known:
                self.hand_in(_returned(mail_id))

    async def _record(self) -> bool:
        ended = list(self._ended)
        if ended:
            async with self._database.transaction() as tx:
                await record(tx, self.sender, [one for one, _ in ended])
            self._wanted.set()  # the next mail to one of these recipients may be sent now
        del self._ended[: len(ended)]
        for _, done in ended:
            if not done.done():
                done.set_result(None)
        return True


def _returned(mail_id: UUID) -> Ended:
    return Ended(mail_id, End.RETURNED, pause=timedelta(0))
