"""python -m notifier mails: search, show, resend, unknown, statistics."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.command_line import ask_who, number
from chassis.sql import Database
from contracts.actions import Operator
from notifier import deeds
from notifier.rules.deadlines import RESEND_LIFE
from notifier.rules.states import State
from notifier.settings import Settings
from notifier.store import mails, operations

Run = Callable[[Settings, argparse.Namespace], Awaitable[int | None]]


def define(parser: argparse.ArgumentParser) -> Run:
    """Mails and their fate: search, show, resend, list unknown ones, count."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    search = actions.add_parser("search", help="Mails that fit everything given, newest first.")
    search.set_defaults(work=_search)
    search.add_argument("--number", help="Web application number")
    search.add_argument("--user", dest="user_id", help="whose mails: WebユーザーID")
    search.add_argument("--policyholder", dest="policyholder_code", help="whose mails: 保険利用者コード")
    search.add_argument("--state", choices=[state.value for state in State], help="what became of it")
    for bound in ("--since", "--until"):
        search.add_argument(bound, type=_moment, help="e.g. 2026-04-01T09:00+09:00")
    search.add_argument("--limit", type=number, default=50, help="at most so many (default: 50)")
    unknown = actions.add_parser("unknown", help="Mails of which nobody knows whether the relay has them.")
    unknown.set_defaults(work=_unknown)
    show = actions.add_parser("show", help="One mail and what operators did with it; never its secret.")
    show.set_defaults(work=_show)
    resend = actions.add_parser("resend", help="Send a mail once more that has come to an end (recorded).")
    resend.set_defaults(work=_resend)
    ask_who(resend)
    for one in (show, resend):
        one.add_argument("id", type=UUID, help="id of `mails search`")
    statistics = actions.add_parser("statistics", help="How many mails of each kind came to which end.")
    statistics.set_defaults(work=_statistics)
    statistics.add_argument("--hours", type=float, default=24.0, help="of the last hours (default: 24)")
    return _run


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


async def _run(settings: Settings, chosen: argparse.Namespace) -> int | None:
    database = await Database.connect(settings.database_url, source="notifier", size=2)
    try:
        done: int | None = await chosen.work(database, chosen)
        return done
    finally:
        await database.close()


async def _search(database: Database, chosen: argparse.Namespace) -> None:
    names = ("number", "user_id", "policyholder_code", "state", "since", "until", "limit")
    _print(await mails.search(database, **{name: getattr(chosen, name) for name in names}))


async def _unknown(database: Database, _chosen: argparse.Namespace) -> None:
    _print(await mails.search(database, state=State.UNKNOWN, limit=1000))


async def _show(database: Database, chosen: argparse.Namespace) -> int:
    row = await mails.one(database, chosen.id)
    if row is None:
        return _refuse("There is no such mail.")
    _print([row, *await operations.recorded(database, str(chosen.id))])
    return 0


async def _resend(database: Database, chosen: argparse.Namespace) -> int:
    async with database.transaction() as tx:
        if not await mails.resend(tx, chosen.id, datetime.now(UTC) + RESEND_LIFE):
            return _refuse(
                "Not resent: no such mail, or it is on its way, has a newer one, its secret has lapsed,"
                " or whom it is for is disabled."
            )
        by = Operator.at_the_terminal(chosen.by)
        await deeds.record(tx, by, "resend", str(chosen.id), **await mails.concerned(tx, chosen.id))
    return 0


async def _statistics(database: Database, chosen: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    _print(await mails.statistics(database, now - timedelta(hours=chosen.hours), now))
    _print([await mails.waiting(database)])


def _print(rows: list[Any]) -> None:
    for row in rows:
        sys.stdout.write(json.dumps(dict(row), default=str, ensure_ascii=False) + "\n")


def _refuse(why: str) -> int:
    sys.stderr.write(why + "\n")
    return 1
