"""Where senders hand in how a mail ended and take the next one: all who stand there share one transaction."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog
from prometheus_client import Counter

from chassis.amqp.consumer import DATABASE_AWAY
from chassis.sql import Database, Tx
from contracts.notifier import AddressFailing, MailAccepted, MailFailed
from notifier.store import addresses, deliveries
from notifier.store.deliveries import Claimed, End, Ended

log = structlog.get_logger()

POLL_SECONDS = 1.0
AWAY_SECONDS = 1.0

ENDED = Counter("mails_ended_total", "Attempts by template and what became of the mail", ["template", "state"])


class Desk:
    """Ten senders at a time cost two commits (their ends and their next mails), not twenty.

    A mail is committed as `sending` before it is handed out, and a sender gets its next one with the commit of its last
    end; so a kill leaves at most one mail for each sender whose fate nobody knows.
    """

    def __init__(self, database: Database, sender: int) -> None:
        self._database = database
        self._sender = sender
        self._queue: list[tuple[asyncio.Future[Claimed], bool]] = []
        self._ended: list[tuple[Ended, asyncio.Future[None] | None]] = []
        self._news = asyncio.Event()
        self._closed = False
        self._serving = False
        self.open = asyncio.Event()
        """Set while this process' lock is held: nothing is claimed before."""

    def wake(self) -> None:
        """There may be something to do."""
        self._news.set()

    async def hand_in(self, ended: Ended) -> None:
        """Returns when it is written down."""
        done = asyncio.get_running_loop().create_future()
        self._ended.append((ended, done))
        self._news.set()
        await done

    async def exchange(self, ended: Ended | None, *, fresh_only: bool) -> Claimed:
        """Hand in how the last one ended and wait for the next, which comes with the same commit if there is one."""
        if self._closed:
            if ended is not None:
                await self.hand_in(ended)
            raise asyncio.CancelledError
        taken: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        if ended is not None:
            self._ended.append((ended, None))
        self._queue.append((taken, fresh_only))
        self._news.set()
        return await taken

    def close(self) -> None:
        """Hand out nothing more; those who wait are sent home."""
        self._closed = True
        for taken, _ in self._queue:
            taken.cancel()
        self._queue.clear()

    async def emptied(self) -> None:
        """Returns when everything that was handed in is written down."""
        while self._serving or self._ended:
            await asyncio.sleep(0.01)

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self.open.wait()
            self._news.clear()
            self._serving = True
            try:
                busy = await self._serve()
            except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
                log.warning("desk_waits", error=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)
                continue
            finally:
                self._serving = False
            if not (busy and self._queue):
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return

    async def _serve(self) -> bool:
        """One transaction for everybody who stands here; answers whether mails were handed out."""
        ended = list(self._ended)
        waiting = [entry for entry in self._queue if not entry[0].done()]
        if not ended and not waiting:
            return False
        async with self._database.transaction() as tx:
            if ended:
                await record(tx, self._sender, [one for one, _ in ended])
            mails, fresh = await self._claim(tx, waiting)
        del self._ended[: len(ended)]
        for _, done in ended:
            if done is not None and not done.done():
                done.set_result(None)
        self._hand_out(mails, fresh)
        return bool(mails or fresh)

    async def _claim(self, tx: Tx, waiting: Sequence[tuple[Any, bool]]) -> tuple[list[Claimed], list[Claimed]]:
        only_fresh = sum(1 for _, fresh_only in waiting if fresh_only)
        anything = len(waiting) - only_fresh
        mails = await deliveries.claim(tx, self._sender, anything, fresh_only=False) if anything else []
        fresh = await deliveries.claim(tx, self._sender, only_fresh, fresh_only=True) if only_fresh else []
        return mails, fresh

    def _hand_out(self, mails: list[Claimed], fresh: list[Claimed]) -> None:
        left = []
        for taken, fresh_only in self._queue:
            stack = fresh if fresh_only else mails
            if taken.done() or not stack:
                left.append((taken, fresh_only))
            else:
                taken.set_result(stack.pop(0))
        self._queue = [entry for entry in left if not entry[0].done()]
        # Those for whom these were claimed went home meanwhile.
        for mail in mails + fresh:
            self._ended.append((Ended(mail.id, End.RELEASED, "its sender stopped", timedelta(0)), None))


async def record(tx: Tx, sender: int, ended: Sequence[Ended]) -> None:
    """Write down how attempts ended and say it to the other services."""
    settled = await deliveries.settle(tx, sender, ended)
    refused = {one.id: one.reason for one in ended if one.refused_address}
    for row in settled:
        ENDED.labels(row["template"], row["state"]).inc()
        if row["state"] == "sent":
            tx.emit(
                MailAccepted(
                    mail_id=str(row["id"]), template=row["template"], policyholder_code=row["policyholder_code"],
                    about_user_id=row["about_user_id"], accepted_at=row["accepted_at"] or datetime.now(UTC),
                )
            )  # fmt: skip
        say_failure(tx, row)
        if row["id"] in refused:
            marked = await addresses.mark_failing(tx, [row["recipient"]], "refused", refused[row["id"]])
            say_failing(tx, marked, failing=True)
    if reached := [row["recipient"] for row in settled if row["state"] == "sent"]:
        say_failing(tx, await addresses.mark_reached(tx, reached, "refused"), failing=False)


def say_failure(tx: Tx, row: Any) -> None:
    """Emit MailFailed for a mail that has come to an end without having been sent."""
    if row["state"] in ("failed", "expired", "superseded"):
        tx.emit(
            MailFailed(
                mail_id=str(row["id"]), template=row["template"], policyholder_code=row["policyholder_code"],
                about_user_id=row["about_user_id"], state=row["state"], reason=row["reason"],
            )
        )  # fmt: skip


def say_failing(tx: Tx, users: Sequence[Any], *, failing: bool) -> None:
    """Emit AddressFailing for users whose present address bounces, or is reached again."""
    for user in users:
        tx.emit(AddressFailing(policyholder_code=user["policyholder_code"], user_id=user["user_id"], failing=failing))
