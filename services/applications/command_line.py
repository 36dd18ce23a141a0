"""Commands: for operators, what is stuck; for people at NEXI without a system, NEXI's events."""

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aio_pika
from pydantic import ValidationError
from yarl import URL

import contracts.nexi
from applications.settings import Clock, NexiSettings, Settings
from applications.store import lists
from chassis.amqp.connection import connected
from chassis.messages import SINGLE, Envelope, Message, encode_one, explain, new_id
from chassis.sql import Database


def stuck(parser: argparse.ArgumentParser) -> Callable[[Settings, argparse.Namespace], Awaitable[None]]:
    """Submitted applications without an outcome for many days, oldest first, one JSON object a line."""
    parser.add_argument("--days", type=int, help="days since 申込み (default: APPLICATIONS_STUCK_DAYS)")

    async def run(settings: Settings, chosen: argparse.Namespace) -> None:
        now = Clock(settings).now()
        days = settings.stuck_days if chosen.days is None else chosen.days
        database = await Database.connect(settings.database_url, source="applications", size=2)
        try:
            for one in await lists.waiting(database, now - timedelta(days=days), 1000):
                _print({
                    "number": one.number, "procedure": one.procedure, "policyholder_code": one.policyholder_code,
                    "submitted_at": one.submitted_at, "waits_for": one.kind.carrier,
                })  # fmt: skip
        finally:
            await database.close()

    return run


def nexi(parser: argparse.ArgumentParser) -> Callable[[NexiSettings, argparse.Namespace], Awaitable[int]]:
    """Speak as NEXI's systems over AMQP: publish any of their events, or show what an event needs."""
    parser.set_defaults(settings=NexiSettings)
    actions = parser.add_subparsers(dest="action", required=True)
    publish = actions.add_parser("publish", help="publish one event, with APPLICATIONS_NEXI_URL")
    publish.add_argument("type", choices=sorted(_types()), help="the event, for example procedure_completed")
    publish.add_argument("--file", type=Path, help="a JSON file with the event's data; - reads standard input")
    text = (
        "a field: text, or JSON where it is no text; @FILE takes a file as base64; dots reach inside: document.title=…"
    )
    publish.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help=text)
    publish.add_argument("--id", type=UUID, help="the event's id; the same id again is the same event")
    schema = actions.add_parser("schema", help="print the JSON Schema of an event")
    schema.add_argument("type", choices=sorted(_types()), help="which event")

    async def run(settings: NexiSettings, chosen: argparse.Namespace) -> int:
        kind = _types()[chosen.type]
        if chosen.action == "schema":
            _print(kind.model_json_schema(), indent=2)
            return 0
        if settings.nexi_url is None:
            return _refuse("APPLICATIONS_NEXI_URL is missing: the broker with NEXI's own user.", 2)
        try:
            message = _message(kind, chosen)
        except ValidationError as error:
            return _refuse(f"{chosen.type}: {explain(error)}")
        except (OSError, ValueError, RecursionError) as error:
            return _refuse(f"It cannot be read: {error}")
        event_id: UUID = chosen.id or new_id()
        try:
            await _publish(settings.nexi_url, message, event_id)
        except (aio_pika.exceptions.AMQPError, OSError, TimeoutError) as error:
            return _refuse(f"The broker has not confirmed it ({type(error).__name__}); try again with --id {event_id}")
        _print({"id": event_id, "type": kind.wire_type()})
        return 0

    return run


def _types() -> dict[str, type[Message]]:
    return {kind.wire_type().partition(".")[2]: kind for kind in _nexi_events()}


def _nexi_events() -> Iterator[type[Message]]:
    for value in vars(contracts.nexi).values():
        known = isinstance(value, type) and issubclass(value, Message) and not value.__name__.startswith("_")
        if known and getattr(value, "exchange", "") == "nexi":
            yield value


def _message(kind: type[Message], chosen: argparse.Namespace) -> Message:
    """The event; a value that its field does not take as text is read as JSON. Raises OSError, ValueError."""
    data = {"issued_at": datetime.now(UTC).isoformat()} | _file(chosen.file)
    given: dict[str, str] = {path: text for path, _, text in (one.partition("=") for one in chosen.set)}
    for path, text in given.items():
        _put(data, path, text if text[:1] != "@" else base64.b64encode(Path(text[1:]).read_bytes()).decode())
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        for path in given.keys() & {".".join(map(str, one["loc"])) for one in error.errors()}:
            with suppress(ValueError):
                _put(data, path, json.loads(given[path]))
    return kind.model_validate(data)


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    data = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds no JSON object")
    return data


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        data = data.setdefault(name, {})
        if not isinstance(data, dict):
            raise ValueError(f"{path}: {name} has no fields")
    data[last] = value


async def _publish(url: str, message: Message, event_id: UUID) -> None:
    envelope = Envelope(event_id, message.wire_type(), "/nexi", datetime.now(UTC), message.model_dump(mode="json"))
    async with asyncio.timeout(15), connected(url, "nexi-command") as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(message.exchange, ensure=False)
        sent = aio_pika.Message(
            encode_one(envelope),
            content_type=SINGLE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(event_id),
            user_id=URL(url).user,
        )
        await exchange.publish(sent, routing_key=message.wire_type(), mandatory=True, timeout=10)


def _print(shown: dict[str, Any], indent: int | None = None) -> None:
    print(json.dumps(shown, default=str, ensure_ascii=False, indent=indent))


def _refuse(reason: str, status: int = 1) -> int:
    print(reason, file=sys.stderr)
    return status
