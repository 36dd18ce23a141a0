"""python -m notifier letters: list, print, confirm the posting."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.command_line import ask_who, file_to_write
from chassis.sql import Database, Tx
from contracts.actions import Operator
from contracts.notifier import LetterPosted
from notifier import deeds
from notifier.keys import written_aside
from notifier.letters.spool import Gone, Spool
from notifier.settings import Settings
from notifier.store import letters

Run = Callable[[Settings, argparse.Namespace], Awaitable[int | None]]

MOST_PRINTS = 2
"""Once, and once again when the printer jammed; after that NEXI issues a new password."""


def define(parser: argparse.ArgumentParser) -> Run:
    """Letters for the mail room: list, print, confirm the posting."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="Letters that wait for posting.")
    listing.set_defaults(work=_list)
    listing.add_argument("--all", action="store_true", help="the posted and failed ones too")
    printing = actions.add_parser("print", help="Write a letter's PDF to a file (recorded; once, and once again).")
    printing.set_defaults(work=_print)
    posted = actions.add_parser("posted", help="Confirm that a letter left: its sheet is destroyed (recorded).")
    posted.set_defaults(work=_posted)
    for one in (printing, posted):
        one.add_argument("id", type=UUID, help="id of `letters list`")
        ask_who(one)
    printing.add_argument("--to", type=file_to_write, required=True, help="file for the PDF; only you can read it")
    return _run


async def _run(settings: Settings, chosen: argparse.Namespace) -> int | None:
    database = await Database.connect(settings.database_url, source="notifier", size=2)
    try:
        done: int | None = await chosen.work(database, Spool.of(settings), chosen)
        return done
    finally:
        await database.close()


async def _list(database: Database, _spool: Spool, chosen: argparse.Namespace) -> None:
    for row in await letters.listing(database, chosen.all):
        sys.stdout.write(json.dumps(dict(row), default=str, ensure_ascii=False) + "\n")


async def _print(database: Database, spool: Spool, chosen: argparse.Namespace) -> int:
    with ExitStack() as written:
        if refused := await _prepare(database, spool, chosen, written):
            return _refuse(refused)
    sys.stdout.write(f"{chosen.to}\n")
    return 0


async def _prepare(database: Database, spool: Spool, chosen: argparse.Namespace, written: ExitStack) -> str:
    """Write the sheet aside and the print down, or neither; with the end of `written` the sheet gets its name.

    Answers why not, or nothing.
    """
    async with database.transaction() as tx:
        row = await letters.locked(tx, chosen.id)
        if row is None or row["state"] not in ("waiting", "printed"):
            return "There is no such letter in the spool."
        if row["prints"] >= MOST_PRINTS:
            return f"It was printed {MOST_PRINTS} times already; let identity issue a new password."
        if row["not_after"] <= datetime.now(UTC):
            return "Its password has lapsed; let identity issue a new one."
        try:
            sheet = spool.take(chosen.id)
        except Gone:
            return "Its sheet is not in the spool folder any more, or was changed."
        written.enter_context(written_aside(chosen.to, sheet))
        await letters.printed(tx, chosen.id)
        await _record(tx, chosen, "print", row)
    return ""


async def _posted(database: Database, spool: Spool, chosen: argparse.Namespace) -> int:
    async with database.transaction() as tx:
        row = await letters.locked(tx, chosen.id)
        if row is None or row["state"] not in ("printed", "posted"):
            return _refuse("There is no such printed letter.")
        if row["state"] == "printed":
            await letters.posted(tx, chosen.id)
            await _record(tx, chosen, "posted", row)
            concerned = {"policyholder_code": row["policyholder_code"], "about_user_id": row["about_user_id"]}
            tx.emit(LetterPosted(letter_id=str(chosen.id), **concerned))
    spool.remove(chosen.id)
    return 0


async def _record(tx: Tx, chosen: argparse.Namespace, what: str, row: Any) -> None:
    by = Operator.at_the_terminal(chosen.by)
    concerned = {"policyholder_code": row["policyholder_code"], "about_user_id": row["about_user_id"]}
    await deeds.record(tx, by, what, str(chosen.id), **concerned)


def _refuse(why: str) -> int:
    sys.stderr.write(why + "\n")
    return 1
