"""Where a waiting submission learns of its outcome, whichever process heard it; and early words matched after all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from applications.rules.lifecycle import State
from chassis.sql import Database, Tx

CHANNEL = "finished"
LOOK_SECONDS = 0.5


class Outcomes:
    """This process' waiting submissions, woken by number."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @asynccontextmanager
    async def expecting(self, number: str) -> AsyncIterator[asyncio.Event]:
        """Begin before the submission commits, so that no outcome is missed."""
        event = asyncio.Event()
        self._waiting.setdefault(number, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[number].discard(event)
            if not self._waiting[number]:
                del self._waiting[number]

    def wake(self, number: str) -> None:
        """Its outcome is committed."""
        for event in self._waiting.get(number, ()):
            event.set()

    async def listen(self) -> None:
        """Hear of outcomes that other processes committed, until the connection is lost."""
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings={"application_name": "outcomes"})
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda *told: self.wake(told[3]))
            await lost.wait()
            raise ConnectionError("the connection was closed")
        finally:
            connection.terminate()


async def announce(tx: Tx, number: str) -> None:
    """Wake whoever waits for this outcome, with the commit."""
    await tx.execute("select pg_notify($1, $2)", CHANNEL, number)


async def finished(database: Database, number: str, woken: asyncio.Event, seconds: float) -> bool:
    """Wait until the application has an outcome, `seconds` at most; also looks by itself, in case nobody wakes us."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (rest := deadline - asyncio.get_running_loop().time()) > 0:
        try:
            async with asyncio.timeout(min(rest, LOOK_SECONDS)):
                await woken.wait()
        except TimeoutError:
            pass
        state = await database.fetchval("select state from applications where number = $1", number)
        if state != State.SUBMITTED:
            return True
    return False


async def words_no_longer_early(database: Database) -> list[str]:
    """Numbers under which a word was set aside as early although the application is no draft any more.

    Also when another word has decided it meanwhile: the reason would be wrong for ever.
    """
    rows = await database.fetch(
        """
        select distinct key from parked join applications on applications.number = key
         where parked.state = 'parked' and applications.state <> 'draft'
           and (parked.reason like 'early:%' or parked.reason like 'unknown:%')
        """
    )
    return [row["key"] for row in rows]
