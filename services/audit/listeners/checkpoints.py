"""Signs the end of the log at least every minute or 10,000 rows, into a file outside of the database."""

import asyncio
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from audit.proof.checkpoints import Checkpoint, append, as_line, read_file, statement
from audit.proof.keys import Signer
from audit.settings import AuditSettings
from audit.store import checkpoints, log
from chassis.leader import leading
from chassis.sql import DATABASE_AWAY, Database

LOOK_SECONDS = 0.2  # 20,000 rows a second may come, and 10,000 are the most that may stay unsigned

SIGNED = Gauge("audit_signed_rows", "Rows covered by the newest checkpoint")
ALARM = Gauge("audit_integrity_alarm", "1 while the log contradicts a checkpoint")

logger = structlog.get_logger()


class Contradiction(Exception):
    """The log is not what was signed; nothing more is signed until somebody has looked."""


async def sign_checkpoints(database: Database, settings: AuditSettings, signer: Signer) -> None:
    """Look again and again whether a checkpoint is due; one process at a time."""
    while True:
        try:
            async with leading(database, "audit.checkpoints"):
                last = await newest(database, settings)
                signed_at = asyncio.get_running_loop().time()
                while True:
                    made = await sign_if_due(database, settings, signer, last, signed_at)
                    if made is not last:
                        last, signed_at = made, asyncio.get_running_loop().time()
                    await asyncio.sleep(min(LOOK_SECONDS, settings.checkpoint_seconds / 4))
        except Contradiction as error:
            ALARM.set(1)
            logger.critical("integrity_alarm", reason=str(error))
            await asyncio.sleep(30)
        except DATABASE_AWAY as error:
            logger.warning("checkpoints_wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def newest(database: Database, settings: AuditSettings) -> Checkpoint | None:
    """The checkpoint to continue from. Raises Contradiction when the log is not what it says."""
    known = await asyncio.to_thread(read_file, settings.checkpoint_file)
    copy = await checkpoints.newest(database)
    if copy is not None:
        known.append(Checkpoint.read(copy))
    last = max(known, key=lambda one: one.rows, default=None)
    if last is not None:
        end = await log.end(database)
        if end["rows"] < last.rows:
            raise Contradiction(f"the log has {end['rows']} rows, and {last.rows} were signed")
        if await log.head_at(database, last.rows) != last.head:
            raise Contradiction(f"the head at row {last.rows} is not the one that was signed")
        ALARM.set(0)
    return last


async def sign_if_due(
    database: Database, settings: AuditSettings, signer: Signer, last: Checkpoint | None, signed_at: float
) -> Checkpoint | None:
    """The new checkpoint, or `last` when none is due. First the file, then the copy in the database."""
    end = await log.end(database)
    fresh = end["rows"] - (last.rows if last else 0)
    age = asyncio.get_running_loop().time() - signed_at
    # Ten seconds early, so that a busy moment does not make a minute longer than a minute.
    if fresh <= 0 or (fresh < settings.checkpoint_rows / 2 and age < settings.checkpoint_seconds * 5 / 6):
        return last
    now = datetime.now(UTC)
    line = as_line(signer.sign(statement(end["rows"], end["blocks"], end["head"], now.isoformat(), last)))
    await asyncio.to_thread(append, settings.checkpoint_file, line)
    await checkpoints.keep(database, end["rows"], now, line)
    SIGNED.set(end["rows"])
    logger.info("checkpoint", rows=end["rows"], head=end["head"].hex(), key_id=signer.key_id)
    return Checkpoint.read(line)
