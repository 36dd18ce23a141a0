"""What runs beside the requests: waking, matching early words, measuring what is stuck, tidying."""

import asyncio
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from applications.settings import Clock, Settings
from applications.store import documents, lists, requests
from applications.store.outcomes import Outcomes, words_no_longer_early
from chassis.amqp import wake
from chassis.amqp.connection import persist
from chassis.sql import DATABASE_AWAY, Database

log = structlog.get_logger()

MATCH_SECONDS = 5.0
HOUSE_SECONDS = 60.0

STUCK = Gauge("applications_stuck", "Submitted applications that have waited too long for their outcome")


async def hear_outcomes(outcomes: Outcomes) -> None:
    """Learn at once of outcomes that other processes committed."""
    await persist("outcomes", outcomes.listen)


async def match_early_words(database: Database) -> None:
    """A word that was set aside while its application was just being submitted is not forgotten."""
    while True:
        try:
            for number in await words_no_longer_early(database):
                async with database.transaction() as tx:
                    await wake(tx, number)
        except DATABASE_AWAY as error:
            log.warning("matching_waits", error=type(error).__name__)
        await asyncio.sleep(MATCH_SECONDS)


async def keep_house(database: Database, settings: Settings, clock: Clock) -> None:
    """Measure and tidy."""
    while True:
        try:
            STUCK.set(await lists.count_waiting(database, clock.now() - timedelta(days=settings.stuck_days)))
            await requests.forget(database)
            await documents.forget_unfinished(database)
        except DATABASE_AWAY as error:
            log.warning("housekeeping_waits", error=type(error).__name__)
        await asyncio.sleep(HOUSE_SECONDS)
