"""What the notifier does by itself: publish sealing keys, forget secrets, measure."""

import asyncio
from datetime import UTC, datetime, timedelta

from prometheus_client import Gauge

from chassis.amqp.connection import persist
from chassis.leader import leading
from chassis.sql import Database
from contracts.notifier import SealingKeysPublished
from notifier.keys import KeyRing
from notifier.letters.spool import Spool
from notifier.sending.records import say_failure
from notifier.settings import Settings
from notifier.store import deliveries, letters, mails

LOOK_SECONDS = 10.0
REPEATED = timedelta(minutes=3)
MEASURE_SECONDS = 10.0
WRITTEN_DOWN = timedelta(hours=1)
"""A sheet is in the spool before its letter is written down; after so long that has happened, or never will."""

OLDEST = Gauge("mail_oldest_waiting_seconds", "Age of the oldest mail that is due and not on its way")
SENDING = Gauge("mail_longest_sending_seconds", "How long the mail has been on its way that has been so for longest")
STATES = Gauge("mails", "Mails by state, the open ones and the failed", ["state"])


async def publish_keys(database: Database, ring: KeyRing) -> None:
    """Say which keys to seal with: at the start, when they change, and again every few minutes for newcomers."""
    await persist("sealing keys", lambda: _publish(database, ring))


async def _publish(database: Database, ring: KeyRing) -> None:
    said: tuple[object, ...] = ()
    said_at = datetime.now(UTC)
    async with leading(database, "sealing keys"):
        while True:
            now = datetime.now(UTC)
            keys = await asyncio.to_thread(ring.renew, now)
            if keys != said or now - said_at >= REPEATED:
                async with database.transaction() as tx:
                    tx.emit(SealingKeysPublished(keys=keys))
                said, said_at = keys, now
            await asyncio.sleep(LOOK_SECONDS)


async def keep_house(database: Database, settings: Settings, spool: Spool) -> None:
    """Measure and forget, every few seconds."""
    await persist("keeping house", lambda: _keep_house(database, settings.kept, spool))


async def sweep(database: Database, spool: Spool) -> None:
    """Destroy sheets that nobody may print any more, also of a process that died between word and deed."""
    async with database.transaction() as tx:
        for row in await letters.lapse(tx):
            say_failure(tx, row)
    await asyncio.to_thread(spool.sweep, await letters.printable(database), WRITTEN_DOWN)


async def _keep_house(database: Database, kept: timedelta, spool: Spool) -> None:
    while True:
        async with database.transaction() as tx:
            await mails.forget_secrets(tx)
            await mails.forget(tx, kept)
            await letters.forget(tx, kept)
        await sweep(database, spool)
        found = await mails.waiting(database)
        OLDEST.set(found["oldest"])
        SENDING.set(found["longest_sending"])
        counted = {row["state"]: row["mails"] for row in await deliveries.counts(database)}
        for state in ("received", "sending", "retrying", "unknown", "failed"):
            STATES.labels(state).set(counted.get(state, 0))
        await asyncio.sleep(MEASURE_SECONDS)
