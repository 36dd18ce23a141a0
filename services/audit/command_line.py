"""What operators can do from a terminal: gaps, dumps for auditors, archiving of old months, a live tail."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from audit.api.siem import ocsf_lines
from audit.archives import Postponed, archive_month
from audit.listeners.checkpoints import restart
from audit.proof.keys import Signer
from audit.proof.sources import cut, export_block, parse
from audit.rules.windows import first_reachable
from audit.settings import AuditSettings
from audit.store import sequences, verification
from chassis.command_line import ask_who, file_to_write, folder_to_write, number
from chassis.sql import Database
from contracts.actions import Operator
from contracts.audit import OperatorActed

Work = Callable[[AuditSettings, argparse.Namespace], Awaitable[int | None]]


def work_on_gaps(parser: argparse.ArgumentParser) -> Work:
    """List the holes in producers' numbers, or accept one with an explanation so that it is not reported."""
    parser.add_argument(
        "action",
        choices=("list", "explain", "producers"),
        help="open holes; accept one; how far each producer is complete",
    )
    parser.add_argument("number", type=number, nargs="?", help="for explain: the number that `list` shows")
    parser.add_argument("explanation", nargs="?", help="for explain: why the hole is accepted")
    ask_who(parser)

    async def run(settings: AuditSettings, chosen: argparse.Namespace) -> int | None:
        async with _database(settings.database_url) as database:
            if chosen.action != "explain":
                ask = sequences.open_gaps if chosen.action == "list" else sequences.producers
                _show(await ask(database))
                return None
            if not chosen.explanation:
                return _refuse("A number and an explanation are needed.", 2)
            async with database.transaction() as tx:
                if await sequences.explain(tx, chosen.number, chosen.explanation):
                    by, about = Operator.at_the_terminal(chosen.by), f"{chosen.number}: {chosen.explanation}"
                    tx.emit(OperatorActed(operator=by, command="gaps explain", about=about))
                    return None
        return _refuse(f"There is no open gap {chosen.number}.")

    return run


def work_on_checkpoints(parser: argparse.ArgumentParser) -> Work:
    """After a restore: have the log continued although more was signed; every verification will show it."""
    parser.add_argument("action", choices=("restart",), help="go on from the end of the log that was restored")
    parser.add_argument("--because", required=True, help="what happened; it is signed and shown for ever")
    ask_who(parser)

    async def run(settings: AuditSettings, chosen: argparse.Namespace) -> int | None:
        signer, by = Signer.from_folder(settings.state), Operator.at_the_terminal(chosen.by)
        async with _database(settings.database_url) as database:
            made = await restart(database, settings, signer, f"{chosen.because} ({by.user_id})")
            if made is None:
                return _refuse("The log is as it was signed: there is nothing to restart.")
            async with database.transaction() as tx:
                said = f"{made.rows}: {chosen.because}"
                tx.emit(OperatorActed(operator=by, command="checkpoints restart", about=said))
        print(made.line)
        return None

    return run


def dump(parser: argparse.ArgumentParser) -> Work:
    """Write the whole log into a file that `verify --export` can check on another machine."""
    parser.add_argument("file", type=file_to_write, help="where to write it, a new file")

    async def run(settings: AuditSettings, chosen: argparse.Namespace) -> int | None:
        if chosen.file.exists():
            return _refuse(f"file: {chosen.file} is there already; a dump overwrites nothing.")
        connection = await asyncpg.connect(settings.database_url, timeout=10)
        try:
            await connection.execute(verification.SESSION)
            with chosen.file.open("xb") as file:
                rows = await _dump(connection, file)
                file.flush()
                os.fsync(file.fileno())
        finally:
            await connection.close()
        print(f"{rows} rows")
        return None

    return run


async def _dump(connection: Any, file: Any) -> int:
    block = rows = 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        while page := await verification.blocks(connection, block):
            last = page[-1]["first"] + page[-1]["rows"] - 1
            for one in cut(page, list(parse(await verification.lines(connection, page[0]["first"], last)))):
                file.write(export_block(one))
                rows += len(one.lines)
            block = page[-1]["block"]
    return rows


def archive(parser: argparse.ArgumentParser) -> Work:
    """Move months that no search can reach any more into files; `verify --archive` reads them (owner role)."""
    parser.add_argument(
        "--before", required=True, type=_month, help="YYYY-MM; months before this one, at least 13 months old"
    )
    parser.add_argument("--to", type=folder_to_write, required=True, help="folder for the files")
    parser.add_argument("--dry-run", action="store_true", help="only say which months it would be")
    ask_who(parser)

    async def run(settings: AuditSettings, chosen: argparse.Namespace) -> int | None:
        first_kept = f"{first_reachable(datetime.now(UTC)):%Y_%m}"
        if chosen.before > first_kept:
            return _refuse(f"Searches reach back to {first_kept.replace('_', '-')}; later months must stay.")
        if settings.owner_database_url is None:
            return _refuse("OWNER_DATABASE_URL is missing: taking months out needs the owner role.", 2)
        async with _database(settings.owner_database_url) as database:
            for month in await verification.months(database):
                if month["month"] >= chosen.before:
                    continue
                if chosen.dry_run:
                    print(month["name"])
                    continue
                try:
                    done = await archive_month(database, month["name"], chosen.to, Operator.at_the_terminal(chosen.by))
                except Postponed as reason:
                    return _refuse(str(reason))
                _show([asdict(done)])
        return None

    return run


def _month(text: str) -> str:
    """As partitions are named, so that names can be compared. Raises ValueError."""
    return f"{date.fromisoformat(f'{text}-01'):%Y_%m}"


def tail(parser: argparse.ArgumentParser) -> Work:
    """Follow what is recorded, live, as JSON Lines in OCSF classes; all policyholders."""
    parser.add_argument("--after", type=number, help="begin after this row; none: with what comes now")
    parser.add_argument(
        "--view",
        choices=("all", "history", "trail"),
        default="all",
        help="the access history, the security trail, or both (default)",
    )
    parser.add_argument("--no-follow", action="store_true", help="end when everything so far was shown")

    async def run(settings: AuditSettings, chosen: argparse.Namespace) -> None:
        async with _database(settings.database_url) as database:
            lines = ocsf_lines(database, chosen.after, chosen.view, follow=not chosen.no_follow)
            async for piece in lines:
                await asyncio.to_thread(sys.stdout.buffer.write, piece)
                sys.stdout.buffer.flush()

    return run


@asynccontextmanager
async def _database(dsn: str) -> AsyncIterator[Database]:
    database = await Database.connect(dsn, source="audit", size=2)
    try:
        yield database
    finally:
        await database.close()


def _show(rows: list[Any]) -> None:
    for row in rows:
        print(json.dumps(dict(row), default=str, ensure_ascii=False))


def _refuse(reason: str, status: int = 1) -> int:
    print(reason, file=sys.stderr)
    return status
