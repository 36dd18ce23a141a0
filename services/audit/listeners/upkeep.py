"""Keeps the coming months' partitions ready and forgets searches that nobody will come back to."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from audit.rules.windows import SEARCHES_KEPT, japanese_day, one_year_before
from audit.store import log, searches
from chassis.leader import leading
from chassis.sql import DATABASE_AWAY, Database

AHEAD = timedelta(days=93)
HOUR_SECONDS = 3600.0

logger = structlog.get_logger()


async def keep_partitions(database: Database) -> None:
    """Make the months of the past year and of the next three; once an hour is often enough."""
    while True:
        try:
            async with leading(database, "audit.upkeep"):
                while True:
                    await _once(database)
                    await asyncio.sleep(HOUR_SECONDS)
        except DATABASE_AWAY as error:
            logger.warning("upkeep_waits", error=type(error).__name__)
            await asyncio.sleep(1)


async def _once(database: Database) -> None:
    today = japanese_day(datetime.now(UTC))
    made = await log.make_months(database, one_year_before(today), today + AHEAD)
    forgotten = await searches.forget(database, SEARCHES_KEPT)
    logger.info("upkeep", months_made=made, searches_forgotten=forgotten)
