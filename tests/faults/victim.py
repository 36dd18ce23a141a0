"""A small service that can be told to kill itself (SIGKILL) at a labelled point, on its n-th visit there."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aio_pika.message import IncomingMessage
from pydantic_settings import SettingsConfigDict

from chassis import command_line
from chassis.amqp import Listeners
from chassis.amqp.hearing import Hearing
from chassis.amqp.relay import Relay
from chassis.http import PUBLIC, Body, Routes
from chassis.messages import Envelope, Event, Received
from chassis.service import Service
from chassis.settings import Settings
from chassis.sql import Tx, database
from contracts.caller import Caller

MIGRATION = """-- tables of the victim
create table said (word text primary key);
create table heard (place bigint generated always as identity, id uuid not null, word text not null);
create table recorded (id uuid primary key, word text not null);
grant select, insert on said, heard, recorded to victim;
"""


class VictimSettings(Settings):
    """Settings of the victim."""

    model_config = SettingsConfigDict(env_prefix="VICTIM_")


class Noted(Event):
    """A word was noted."""

    word: str


Noted.__module__ = "contracts.victim"
routes = Routes(tag="notes")
singly, together = Listeners("singly"), Listeners("together", prefetch=200)


class Note(Body):
    """A word to be noted."""

    word: str


@routes.post("/notes", needs=PUBLIC, status=204)
async def note(body: Note, tx: Tx) -> None:
    """Note a word; the same word again changes nothing."""
    if await tx.execute("insert into said (word) values ($1) on conflict do nothing", body.word):
        tx.emit(Noted(word=body.word))


@singly.on(Noted)
async def hear(message: Noted, received: Received[Noted], tx: Tx) -> None:
    """Hear it without any protection of one's own: only the inbox keeps it from being heard twice."""
    await tx.execute("insert into heard (id, word) values ($1, $2)", received.id, message.word)


@together.batch(("events", "#"), most=200)
async def record(batch: Sequence[Envelope], tx: Tx) -> None:
    """Hear them in batches, idempotent by event id; how far the relay says it is, is no event of anybody."""
    noted = [one for one in batch if one.type == Noted.wire_type()]
    await tx.execute(
        "insert into recorded (id, word) select * from unnest($1::uuid[], $2::text[]) on conflict do nothing",
        [one.id for one in noted],
        [one.data["word"] for one in noted],
    )


service = Service(
    name="victim",
    title="Victim",
    caller=Caller,
    settings=VictimSettings,
    migrations=Path(),
    routes=[routes],
    listeners=[singly, together],
)

POINTS: dict[str, tuple[Any, str, str]] = {
    "before the outbox is written": (database, "_write_outbox", "before"),
    "after the outbox is written, before the commit": (database, "_write_outbox", "after"),
    "after the commit, before the answer": (Relay, "_committed", "before"),
    "after numbering, before publishing": (Relay, "_publish", "before"),
    "between two messages": (Relay, "_send", "after"),
    "after the confirm, before forgetting": (Relay, "_publish", "after"),
    "after forgetting": (Relay, "_rest", "before"),
    "after receiving": (Hearing, "handle", "before"),
    "after handling one event": (Hearing, "_dispatch", "after"),
    "after the commit of one event": (Hearing, "_hear", "after"),
    "after the commit of a batch": (Hearing, "_hear_batch", "after"),
    "after the commits, before the acknowledgement": (Hearing, "handle", "after"),
    "before the acknowledgement leaves": (IncomingMessage, "ack", "before"),
    "after the acknowledgement left": (IncomingMessage, "ack", "after"),
}


def die_at(label: str, visit: int) -> None:
    """Patch the labelled point so that its `visit`-th visit ends this process at once."""
    owner, name, side = POINTS[label]
    original: Callable[..., Any] = getattr(owner, name)
    visits = 0

    def count() -> None:
        nonlocal visits
        visits += 1
        if visits == visit:
            os.kill(os.getpid(), signal.SIGKILL)

    async def waiting(*arguments: Any, **named: Any) -> Any:
        if side == "before":
            count()
        result = await original(*arguments, **named)
        if side == "after":
            count()
        return result

    def immediate(*arguments: Any, **named: Any) -> Any:
        count()
        return original(*arguments, **named)

    setattr(owner, name, waiting if asyncio.iscoroutinefunction(original) else immediate)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        die_at(sys.argv[1], int(sys.argv[2]))
    command_line.main(service, ["serve"])
