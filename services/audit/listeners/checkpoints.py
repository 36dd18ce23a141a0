"""Signs the end of the log at least every minute or 10,000 rows, into a file outside of the database."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Gauge

from audit.proof.checkpoints import Checkpoint, append, as_line, read_last, statement
from audit.proof.keys import Signer
from audit.rules import chain
from audit.settings import AuditSettings
from audit.store import checkpoints, log
from chassis.leader import leading
from chassis.sql import DATABASE_AWAY, Database

ALARMED_SECONDS = 30.0
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
                last = await newest(database, settings, signer)
                signed_at = asyncio.get_running_loop().time()
                while True:
                    made = await sign_if_due(database, settings, signer, last, signed_at)
                    if made is not last:
                        last, signed_at = made, asyncio.get_running_loop().time()
                    await asyncio.sleep(min(LOOK_SECONDS, settings.checkpoint_seconds / 4))
        except Contradiction as error:
            ALARM.set(1)
            logger.critical("integrity_alarm", reason=str(error))
            await asyncio.sleep(ALARMED_SECONDS)
            ALARM.set(0)  # whoever leads now looks again at once; nobody would end the alarm of one who does not lead
        except DATABASE_AWAY as error:
            logger.warning("checkpoints_wait", error=type(error).__name__)
            await asyncio.sleep(1)


async def newest(database: Database, settings: AuditSettings, signer: Signer) -> Checkpoint | None:
    """The checkpoint to continue from. Raises Contradiction when the log is not what it says.

    The file counts; the copy in the database only when the file is behind it, and when we signed it.
    """
    try:
        last = await asyncio.to_thread(read_last, settings.checkpoint_file)
    except ValueError as error:
        raise Contradiction(f"the file of checkpoints cannot be read: {error}") from error
    await agreed_end(database, last)
    line = await checkpoints.newest(database)
    if line is not None:
        copy = Checkpoint.read(line)
        if last is None or copy.rows > last.rows:
            if not signer.made(json.loads(line)):
                raise Contradiction(f"the checkpoint at row {copy.rows} in the database was not signed by us")
            await agreed_end(database, copy)
            last = copy
    return last


async def agreed_end(database: Database, last: Checkpoint | None) -> Any:
    """The end of the log. Raises Contradiction when what was signed is not there any more."""
    end = await log.end(database)
    if last is not None:
        if end["rows"] < last.rows:
            raise Contradiction(f"the log has {end['rows']} rows, and {last.rows} were signed")
        if await log.head_at(database, last.rows) != last.head:
            raise Contradiction(f"the head at row {last.rows} is not the one that was signed")
    return end


async def sign_if_due(
    database: Database, settings: AuditSettings, signer: Signer, last: Checkpoint | None, signed_at: float
) -> Checkpoint | None:
    """The new checkpoint, or `last` when none is due.

    Raises Contradiction, due or not: nothing is signed after a log that is not the signed one.
    """
    end = await agreed_end(database, last)
    fresh = end["rows"] - (last.rows if last else 0)
    age = asyncio.get_running_loop().time() - signed_at
    # Ten seconds early, so that a busy moment does not make a minute longer than a minute.
    if fresh <= 0 or (fresh < settings.checkpoint_rows / 2 and age < settings.checkpoint_seconds * 5 / 6):
        return last
    made = await _sign(database, settings, signer, last, end, sealed=await _sealed(database, signer, last, end))
    SIGNED.set(end["rows"])
    logger.info("checkpoint", rows=end["rows"], head=end["head"].hex(), key_id=signer.key_id)
    return made


async def _sign(
    database: Database,
    settings: AuditSettings,
    signer: Signer,
    last: Checkpoint | None,
    end: Any,
    *,
    sealed: bool,
    because: str | None = None,
) -> Checkpoint:
    """First into the file, then the copy in the database."""
    now = datetime.now(UTC)
    said = statement(end["rows"], end["blocks"], end["head"], now.isoformat(), last, sealed=sealed, because=because)
    line = as_line(signer.sign(said))
    await asyncio.to_thread(append, settings.checkpoint_file, line)
    await checkpoints.keep(database, end["rows"], now, line)
    return Checkpoint.read(line)


async def _sealed(database: Database, signer: Signer, last: Checkpoint | None, end: Any) -> bool:
    """Whether we recorded every new block and the log ends with them.

    Raises Contradiction when not; before the first sealed checkpoint blocks of an earlier version are none.
    """
    added = await checkpoints.blocks_between(database, last.blocks if last else 0, end["blocks"])
    foreign = [one["block"] for one in added if not signer.sealed(one["head"], one["seal"])]
    if not foreign and end["head"] == (added[-1]["head"] if added else last.head if last else chain.EMPTY):
        return True
    if last is not None and last.sealed:
        where = f"block {foreign[0]}" if foreign else "the end of the log"
        raise Contradiction(f"{where} was not recorded by the service")
    return False


async def restart(database: Database, settings: AuditSettings, signer: Signer, because: str) -> Checkpoint | None:
    """Sign, for an operator, that the log as it is now is to be continued; None when nothing contradicts it.

    What was signed before stays in the file, and every verification shows the restart and its reason.
    """
    end = await log.end(database)
    try:
        await _sealed(database, signer, await newest(database, settings, signer), end)
    except Contradiction:
        last = await asyncio.to_thread(read_last, settings.checkpoint_file)
    else:
        return None
    sealed = last is not None and last.sealed
    return await _sign(database, settings, signer, last, end, sealed=sealed, because=because)
