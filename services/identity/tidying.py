"""Forgetting what is no longer needed: ended sessions, old logins, counts and limits that no rule reaches any more."""

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from chassis.sql import DATABASE_AWAY, Database
from identity.store import attempts, issues, logins, sessions, source_limits

log = structlog.get_logger()

PAUSE_SECONDS = 600.0
SESSIONS_KEPT = timedelta(days=7)
LOGINS_KEPT = timedelta(days=366)
COUNTS_KEPT = timedelta(days=2)


async def tidy(database: Database) -> None:
    """Every few minutes, as long as the process runs; doing it twice at once harms nobody."""
    while True:
        try:
            async with database.transaction() as tx:
                await sessions.forget(tx, SESSIONS_KEPT)
                await logins.forget(tx, LOGINS_KEPT)
                await issues.forget(tx, COUNTS_KEPT)
                await attempts.forget(tx, COUNTS_KEPT)
                await source_limits.forget(tx, COUNTS_KEPT)
        except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
            log.warning("tidying_waits", error=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
