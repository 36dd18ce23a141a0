"""What each process does beside its business: retries parked events and forgets what is no longer needed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from chassis.amqp.hearing import Hearing
from chassis.sql import DATABASE_AWAY, Database

log = structlog.get_logger()

RETRY_SECONDS = 1.0
HOUSE_SECONDS = 60.0
HEARD_KEPT = timedelta(days=400)  # a replayed year of the partner's events must still be recognised

PARKED = Gauge("parked_events", "Events set aside, by state", ["state"])
OUTBOX_AGE = Gauge("outbox_age_seconds", "Age of the oldest event not yet confirmed by the broker")


async def retry_parked(hearings: Sequence[Hearing]) -> None:
    """Try parked events whose pause is over, one by one."""
    while True:
        for hearing in hearings:
            try:
                while await hearing.retry_due():
                    pass
            except DATABASE_AWAY as error:
                log.warning("retries_wait", error=type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)


async def keep_house(database: Database) -> None:
    """Measure and tidy."""
    while True:
        try:
            for state in ("retrying", "parked", "unreadable"):
                PARKED.labels(state).set(await database.fetchval("select count(*) from parked where state = $1", state))
            OUTBOX_AGE.set(
                await database.fetchval(
                    "select coalesce(extract(epoch from now() - min(occurred_at)), 0)::float8 from outbox"
                )
            )
            await database.execute(
                """
                delete from inbox where ctid in
                    (select ctid from inbox where heard_at < now() - $1::interval limit 5000)
                """,
                HEARD_KEPT,
            )
            await database.execute(
                """
                delete from parked where number in
                    (select number from parked
                      where state = 'replayed' and changed_at < now() - $1::interval limit 5000)
                """,
                HEARD_KEPT,
            )
        except DATABASE_AWAY as error:
            log.warning("housekeeping_waits", error=type(error).__name__)
        await asyncio.sleep(HOUSE_SECONDS)
