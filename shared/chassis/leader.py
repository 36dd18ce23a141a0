"""Work that only one of many processes may do at a time: whoever holds the advisory lock."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from chassis.sql import DATABASE_AWAY, Database

RETRY_SECONDS = 2.0


@asynccontextmanager
async def leading(database: Database, name: str) -> AsyncIterator[None]:
    """Wait until this process leads in `name`, then hold the lock; the lock ends with the connection.

    Work inside must itself be safe against a second leader for a moment (a lost connection is noticed late), so do it
    in transactions that claim rows.
    """
    key = zlib.crc32(name.encode())
    while True:
        async with database.acquire() as connection:
            if await connection.fetchval("select pg_try_advisory_lock($1)", key):
                try:
                    yield
                finally:
                    if not connection.is_closed():
                        try:
                            await connection.execute("select pg_advisory_unlock($1)", key)
                        except (*DATABASE_AWAY, asyncpg.PostgresError):
                            connection.terminate()
                return
        await asyncio.sleep(RETRY_SECONDS)
