"""What operators can do from a terminal: look at policyholders, settle coming changes, keep the master of banks."""

import argparse
import csv
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from accounts.listeners.clock import apply_all_due
from accounts.rules import bank_files
from accounts.store import banks, profiles
from chassis.command_line import ask_who
from chassis.settings import Settings
from chassis.sql import Database, Tx
from contracts.accounts import OperatorActed
from contracts.actions import Operator

DEMO = Path(__file__).parent / "demo_banks.csv"
PROGRESS_ROWS = 5000
MOST_REMOVED = 0.1
"""A file that would remove a greater share of the listed branches is taken for a broken one, unless told otherwise."""

Work = Callable[[Settings, argparse.Namespace], Awaitable[int | None]]


def show_policyholder(parser: argparse.ArgumentParser) -> Work:
    """Show a policyholder's profile, its newest versions and the changes that wait for their day."""
    parser.add_argument("code", help="保険利用者コード, 9 digits")

    async def show(settings: Settings, chosen: argparse.Namespace) -> int | None:
        async with _database(settings) as database:
            found = await profiles.versions(database, chosen.code, limit=5)
            if not found:
                return _refuse(f"There is no policyholder {chosen.code}.")
            _show({"versions": found, "waiting": await profiles.waiting(database, chosen.code)})
        return None

    return show


def work_on_changes(parser: argparse.ArgumentParser) -> Work:
    """List the changes of profiles that wait for their day, apply the due ones now, or give up one that fails."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="list what waits; what failed on its day with the reason")
    actions.add_parser("apply", help="apply what is due now")
    discard = actions.add_parser("discard", help="give up a change that could not be applied; it stays recorded")
    discard.add_argument("number", help="Web申込番号, as `list` shows it")
    ask_who(discard)

    async def run(settings: Settings, chosen: argparse.Namespace) -> int | None:
        async with _database(settings) as database:
            if chosen.action == "list":
                _show(await profiles.waiting_of_all(database))
            elif chosen.action == "apply":
                applied = await apply_all_due(database)
                print(f"{len(applied)} applied" + "".join(f"\n{number}" for number in applied))
            else:
                return await _discard(database, chosen.number, chosen.by)
        return None

    return run


async def _discard(database: Database, number: str, name: str) -> int | None:
    by = Operator.at_the_terminal(name)
    async with database.transaction() as tx:
        code = await profiles.discard_failing(tx, number, by.user_id)
        if code is None:
            return _refuse(f"There is no change {number} that could not be applied.")
        concerned = by.model_copy(update={"policyholder_code": code})
        tx.emit(OperatorActed(operator=concerned, command="changes discard", about=number))
    print(f"{number} discarded")
    return None


def work_on_banks(parser: argparse.ArgumentParser) -> Work:
    """Import the master of banks (a CSV file, the demo set, the package zengin-code), or show its state."""
    parser.add_argument(
        "action",
        choices=("status", "import", "demo", "zengin"),
        help="show the state, or import from a file, the demo set, the package",
    )
    parser.add_argument("file", nargs="?", type=Path, help=f"for import: CSV with {','.join(bank_files.COLUMNS)}")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the file, for example cp932 (default: UTF-8)")
    parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")
    parser.add_argument("--remove-many", action="store_true", help="even if more than a tenth of the branches vanishes")
    ask_who(parser)

    async def run(settings: Settings, chosen: argparse.Namespace) -> int | None:
        if (chosen.file is None) == (chosen.action == "import"):
            return _refuse("A file goes with `import`, and only with it.", 2)
        if chosen.action == "status":
            async with _database(settings) as database:
                _show({"listed_branches": await banks.listed(database), "imports": await banks.imports(database)})
            return None
        try:
            source, master = _read(chosen)
        except (OSError, LookupError, UnicodeError, ImportError) as error:
            return _refuse(f"It cannot be read: {error}")
        for line, reason in master.errors:
            print(f"line {line}: {reason}", file=sys.stderr)
        if master.errors:
            return _refuse(f"{len(master.errors)} errors; nothing was imported.")
        async with _database(settings) as database:
            return await _import(database, source, master, chosen)

    return run


def _read(chosen: argparse.Namespace) -> tuple[str, bank_files.Master]:
    if chosen.action == "zengin":
        return "zengin-code", _progressing(_zengin())
    path = DEMO if chosen.action == "demo" else chosen.file
    with path.open(encoding="utf-8-sig" if chosen.action == "demo" else chosen.encoding, newline="") as lines:
        return path.name, _progressing(lines)


def _zengin() -> Iterator[str]:
    """The package's banks as our CSV. Its names are abbreviated and may be late: a start, not an authority."""
    import zengin_code  # optional: only this command needs it

    for row in (bank_files.COLUMNS, *(
        (bank.code, bank.name, bank.kana, branch.code, branch.name, branch.kana)
        for bank in zengin_code.Bank.all.values()
        for branch in bank.branches.values()
    )):  # fmt: skip
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue()


def _progressing(lines: Iterable[str]) -> bank_files.Master:
    master = bank_files.Master()
    for rows in bank_files.read(lines, master):
        if rows % PROGRESS_ROWS == 0:
            print(f"{rows} rows read", file=sys.stderr)
    return master


class _NothingKept(Exception):
    """Rolls an import back."""


async def _import(database: Database, source: str, master: bank_files.Master, chosen: argparse.Namespace) -> int | None:
    try:
        async with database.transaction() as tx:
            before, removed = await _put(tx, source, master)
            print(f"{len(master.banks)} banks, {len(master.branches)} branches, {removed} removed")
            if without := await banks.accounts_without_branch(tx):
                print(f"{without} registered accounts are at branches that are not listed any more")
            too_many = removed > before * MOST_REMOVED and not chosen.remove_many
            if too_many or chosen.dry_run:
                raise _NothingKept
            tx.emit(OperatorActed.at_the_terminal(chosen.by, f"banks {chosen.action}", source))
    except _NothingKept:
        if too_many:
            return _refuse("Nothing was imported: more than a tenth of all branches would vanish (see --remove-many).")
        print("dry run: nothing was changed")
    return None


async def _put(tx: Tx, source: str, master: bank_files.Master) -> tuple[int, int]:
    """All of it in the transaction; answers how many branches were listed before and how many were removed."""
    await banks.hold(tx)
    before = await banks.listed(tx)
    listed = list(master.branches.values())
    await banks.put_banks(tx, list(master.banks.values()))
    for start in range(0, len(listed), PROGRESS_ROWS):
        await banks.put_branches(tx, listed[start : start + PROGRESS_ROWS])
        print(f"{min(start + PROGRESS_ROWS, len(listed))} of {len(listed)} branches stored", file=sys.stderr)
    removed = await banks.remove_others(tx, listed)
    await banks.record_import(tx, source, banks=len(master.banks), branches=len(listed), removed=removed)
    return before, removed


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = await Database.connect(settings.database_url, source="accounts", size=2)
    try:
        yield database
    finally:
        await database.close()


def _show(found: Any) -> None:
    json.dump(found, sys.stdout, default=lambda one: dict(one) if hasattr(one, "keys") else str(one),
              ensure_ascii=False, indent=2)  # fmt: skip
    print()


def _refuse(reason: str, status: int = 1) -> int:
    print(reason, file=sys.stderr)
    return status
