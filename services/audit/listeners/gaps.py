"""Notices when a producer's event is missing: a hole in its dense numbers that stays (R-5)."""

import asyncio
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from audit.settings import AuditSettings
from audit.store import sequences
from chassis.leader import leading
from chassis.sql import DATABASE_AWAY, Database
from contracts.audit import GapFound

MISSING = Gauge("audit_missing_events", "Numbers of a producer that were not heard (yet)", ["producer"])

LOOK_SECONDS = 2.0
"""A loss is reported within a minute: the relays say every 6 s at most how far they are, which shows the loss of a last
event, and that its producer still speaks when it has been missing for `gap_seconds` (40)."""

logger = structlog.get_logger()


async def watch_gaps(database: Database, settings: AuditSettings) -> None:
    """Look every few seconds; one process at a time."""
    age = timedelta(seconds=settings.gap_seconds)
    while True:
        try:
            async with leading(database, "audit.gaps"):
                while True:
                    await look(database, age)
                    await asyncio.sleep(min(LOOK_SECONDS, settings.gap_seconds / 4))
        except DATABASE_AWAY as error:
            MISSING.clear()  # another process may lead and count from now on, and nobody would correct what we said
            logger.warning("gaps_wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def look(database: Database, age: timedelta) -> None:
    """Report holes that have been there for longer than `age`; each once."""
    async with database.transaction() as tx:
        await sequences.look(tx)
        for gap in await sequences.due(tx, age):
            logger.critical("gap_found", producer=gap["producer"], first=gap["first"], last=gap["last"])
            tx.emit(GapFound(producer=gap["producer"], first=gap["first"], last=gap["last"]))
    for row in await sequences.missing(database):
        MISSING.labels(row["producer"]).set(row["missing"])
