"""What happens because a day has begun: changes take effect at 00:00 Japan time (P6)."""

import asyncio

import structlog
from prometheus_client import Gauge
from pydantic import ValidationError

from accounts.listeners.profiles import apply_change
from accounts.store import profiles
from chassis.amqp.verdicts import verdict
from chassis.messages import explain
from chassis.sql import DATABASE_AWAY, Database

log = structlog.get_logger()

TICK_SECONDS = 1.0

FAILING = Gauge("profile_changes_failing", "Completed changes whose day has come and that could not be applied")


async def apply_due_changes(database: Database) -> None:
    """Apply changes as they become due. Any number of processes may do it: each change is claimed by one."""
    while True:
        try:
            await apply_all_due(database)
        except DATABASE_AWAY as error:
            log.warning("changes_wait", error=type(error).__name__)
        await asyncio.sleep(TICK_SECONDS)


async def apply_all_due(database: Database) -> list[str]:
    """Apply every change that is due, each in a transaction of its own; answers their numbers.

    One that fails is left for the next round and holds up nobody.
    """
    applied: list[str] = []
    failed: list[str] = []
    while True:
        claimed = None
        try:
            async with database.transaction() as tx:
                claimed = await profiles.claim_due(tx, failed)
                if claimed is None:
                    FAILING.set(len(failed))
                    return applied
                await apply_change(tx, claimed["policyholder_code"], claimed["number"])
            applied.append(claimed["number"])
        except DATABASE_AWAY:
            raise
        except Exception as error:
            if claimed is None:
                raise
            failure = explain(error) if isinstance(error, ValidationError) else verdict(error)[0]
            log.error("change_not_applied", number=claimed["number"], error=failure)
            await profiles.note_failure(database, claimed["number"], failure)
            failed.append(claimed["number"])
