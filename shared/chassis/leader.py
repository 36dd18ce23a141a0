"""Work that only one of many processes may do at a time: whoever holds the advisory lock."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from chassis.sql import DATABASE_AWAY, Database

log = structlog.get_logger()

RETRY_SECONDS = 2.0
ASK_SECONDS = 1.0
TERM_SECONDS = 6.0  # a leader whose connection does not answer for so long leads no longer
FORGET = "set idle_session_timeout = '20s'"  # the same for PostgreSQL, when a process vanishes without a word


@asynccontextmanager
async def leading(database: Database, name: str) -> AsyncIterator[None]:
    """Wait until this process leads in `name`; the lock ends with its connection, and the work inside with both.

    Raises TimeoutError a few seconds after the connection ended. There may be a second leader for that long, so do the
    work in transactions that claim rows.
    """
    key = zlib.crc32(name.encode())
    while True:
        async with database.acquire() as connection:
            locked = True  # perhaps: the answer may come too late
            try:
                locked = await connection.fetchval("select pg_try_advisory_lock($1)", key)
                if locked:
                    async with _term(connection, name):
                        yield
                    return
            finally:
                if locked:
                    connection.terminate()
        await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def _term(connection: Any, name: str) -> AsyncIterator[None]:
    """Lasts as long as the connection answers."""
    async with asyncio.timeout(TERM_SECONDS) as term:
        extending = asyncio.create_task(_extend(term, connection, name))
        try:
            yield
        finally:
            extending.cancel()


async def _extend(term: asyncio.Timeout, connection: Any, name: str) -> None:
    try:
        await connection.execute(FORGET)
        while not term.expired():
            term.reschedule(asyncio.get_running_loop().time() + TERM_SECONDS)
            await asyncio.sleep(ASK_SECONDS)
            await connection.execute("select")
    except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
        log.warning("leads_no_longer", name=name, error=type(error).__name__)
