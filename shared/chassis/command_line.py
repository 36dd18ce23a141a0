"""The command line that every service has: serve, migrate, look at its contracts, and handle parked events."""

import argparse
import asyncio
import gc
import getpass
import json
import os
import re
import signal
import sys
import typing
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from chassis import logs
from chassis.amqp import declaration, parked
from chassis.http import compile_routes, document
from chassis.readers import may_leave
from chassis.service import Service, running
from chassis.settings import Settings, read
from chassis.sql import Database, Tx, Unreachable, migrate

Command = Callable[[Any, argparse.Namespace], Coroutine[Any, Any, int | None]]
LARGEST = 2**63 - 1
ParkedWork = Callable[[Database, argparse.Namespace], Awaitable[int | None]]


def main(service: Service, arguments: list[str] | None = None) -> None:
    """Parse and run; the exit status is 0, 1 for a refusal that was explained, 2 for wrong usage, 141 without a reader.

    A command that people use who have none of the service's credentials sets `settings` on its parser.
    """
    with may_leave():
        parser = build_parser(service)
        chosen = parser.parse_args(arguments)
        settings = read(getattr(chosen, "settings", service.settings))
        logs.configure(service.name, settings.log_level, settings.log_format)
        try:
            status = _run(chosen.run(settings, chosen))
        except Unreachable as error:
            print(error, file=sys.stderr)
            status = 1
        sys.exit(status or 0)


def _run(work: Coroutine[Any, Any, int | None]) -> int | None:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def ask_who(parser: argparse.ArgumentParser) -> None:
    """Let a command be given by somebody (`by`), for the record; who must be said where the system does not know."""
    try:
        known = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        known = None
    default = f"default: {known}" if known else "no default here"
    parser.add_argument("--by", metavar="NAME", default=known, required=not known, help=f"who you are ({default})")


def number(text: str) -> int:
    """The `type` of an argument: a count or a number of a row, as PostgreSQL takes it."""
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) > LARGEST:
        raise argparse.ArgumentTypeError(f"not a whole number from 0 to {LARGEST}")
    return int(text)


def folder_to_write(text: str) -> Path:
    """The `type` of an argument: refused with wrong usage, before anything is done, where nothing can be written."""
    path = Path(text).absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path}: make it first")
    if not os.access(path, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"you may not write into the folder {path}")
    return path


def file_to_write(text: str) -> Path:
    """The same of a file in its folder."""
    path = Path(text).absolute()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder: name a file")
    return folder_to_write(str(path.parent)) / path.name


def build_parser(service: Service) -> argparse.ArgumentParser:
    """Every command of a service, those of all services first."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}", description=service.title)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("serve", "Run the service until SIGTERM or Ctrl-C.", lambda settings, _: serve(service, settings))
    add("migrate", "Bring the database to the newest shape (owner role).", lambda s, _: _migrate(service, s))
    add("declare", "Create the queues, bindings and rights on the broker (operator).", lambda s, _: declare(service, s))
    add("openapi", "Print the OpenAPI document.", lambda s, _: _openapi(service, s))
    _add_parked(commands, service)
    for name, define in service.commands.items():
        text = (define.__doc__ or "").strip().splitlines()[0]
        command = commands.add_parser(name, help=text, description=define.__doc__)
        command.set_defaults(run=define(command))
    return parser


async def serve(service: Service, settings: Settings) -> int:
    """Run until a signal; 1 when background work died."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(service, settings) as runtime:
            gc.collect()
            gc.freeze()  # what is there now stays; collections need not walk through it again and again
            await stop.wait()
            await runtime.server.leave(settings.leaving_seconds)
    except asyncio.CancelledError:
        return 1
    return 0


async def _migrate(service: Service, settings: Settings) -> int:
    if settings.owner_database_url is None:
        return _missing(service, "OWNER_DATABASE_URL", "migrations need the owner role")
    for name in await migrate(settings.owner_database_url, service.name, service.migrations):
        print(f"applied {name}")
    return 0


async def declare(service: Service, settings: Settings) -> int:
    """Create the service's part of the broker's topology; 1 when the broker refuses, 2 without an operator's login."""
    if settings.management_url is None:
        return _missing(service, "MANAGEMENT_URL", "only an operator of the broker may declare")
    try:
        count = await declaration.declare(service, settings, settings.management_url)
    except declaration.Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"declared {count} queues, their bindings and the rights of {service.name}")
    return 0


def _missing(service: Service, name: str, why: str) -> int:
    prefix = service.settings.model_config.get("env_prefix", "")
    print(f"{prefix}{name} is missing: {why}.", file=sys.stderr)
    return 2


async def _openapi(service: Service, _settings: Settings) -> int:
    json.dump(openapi(service), sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


def openapi(service: Service) -> dict[str, Any]:
    """The service's OpenAPI document, without starting it."""
    handlers = [route.handler for group in service.routes for route in group]
    given = {hint for one in handlers for hint in typing.get_type_hints(one).values() if isinstance(hint, type)}
    return document(compile_routes(service.routes, service.caller, given), title=service.title, version="1")


def _add_parked(commands: Any, service: Service) -> None:
    """parked list | show | replay | discard."""
    command = commands.add_parser("parked", help="Events that could not be handled: list, show, replay, discard.")
    actions = command.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, text: str, work: ParkedWork) -> Any:
        action = actions.add_parser(name, help=text, description=text)

        async def run(settings: Settings, chosen: argparse.Namespace) -> int | None:
            database = await Database.connect(settings.database_url, source=service.name, size=2)
            try:
                return await work(database, chosen)
            finally:
                await database.close()

        action.set_defaults(run=run)
        return action

    listed = add("list", "List the open ones, oldest first.", _list)
    listed.add_argument("--after", type=number, default=0, metavar="NUMBER", help="go on after this one")
    listed.add_argument("--limit", type=number, default=100, metavar="N", help="at most so many (default: 100)")
    add("show", "Show one with its body.", _show).add_argument("number", type=number, help="number of `list`")
    replayed = add("replay", "Try these again now (handling stays exactly-once).", partial(_replay, service))
    replayed.add_argument("numbers", type=number, nargs="*", help="numbers of `list`; none: all that are parked")
    ask_who(replayed)
    discarded = add("discard", "Give these up; they stay recorded.", partial(_discard, service))
    discarded.add_argument("numbers", type=number, nargs="+", help="numbers of `list`")
    ask_who(discarded)


async def _list(database: Database, chosen: argparse.Namespace) -> None:
    rows = await parked.listing(database, chosen.after, chosen.limit)
    for row in rows:
        print(json.dumps(dict(row), default=str, ensure_ascii=False))
    if rows and len(rows) == chosen.limit:
        print(f"There may be more: --after {rows[-1]['number']}", file=sys.stderr)


async def _show(database: Database, chosen: argparse.Namespace) -> int:
    row = await parked.body(database, chosen.number)
    if row is None:
        print(f"There is no parked event {chosen.number}.", file=sys.stderr)
        return 1
    shown = dict(row) | {"body": row["body"].decode("utf-8", "backslashreplace")}
    print(json.dumps(shown, default=str, ensure_ascii=False, indent=2))
    return 0


async def _replay(service: Service, database: Database, chosen: argparse.Namespace) -> None:
    async with database.transaction() as tx:
        count = await parked.replay(tx, chosen.numbers or None)
        _say(service, tx, "parked replay", chosen, count)
    print(f"{count} will be tried again")


async def _discard(service: Service, database: Database, chosen: argparse.Namespace) -> None:
    async with database.transaction() as tx:
        count = await parked.discard(tx, chosen.numbers)
        _say(service, tx, "parked discard", chosen, count)
    print(f"{count} discarded")


def _say(service: Service, tx: Tx, command: str, chosen: argparse.Namespace, count: int) -> None:
    """With the same commit as the deed itself."""
    if count and service.deed is not None:
        tx.emit(service.deed(chosen.by, command, " ".join(map(str, chosen.numbers)) or "all"))
