"""A small service without any protection of its own: only what the chassis promises keeps its words whole."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from chassis.amqp import Listeners
from chassis.http import PUBLIC, Body, Routes
from chassis.messages import Command, Envelope, Event, Received
from chassis.service import Service
from chassis.settings import Settings
from chassis.sql import Tx
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from tests.support.keys import Signer
from tests.support.platform import Platform

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


class Unheard(Command):
    """A wish that the victim may send, and that no queue takes."""

    word: str


class Undeclared(Command):
    """A wish that the victim may not send."""

    word: str


for one in (Noted, Unheard, Undeclared):
    one.__module__ = "contracts.victim"
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
    """Only the inbox keeps it from being heard twice; a deadly word kills whoever hears it."""
    if message.word.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
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
    sends=[Unheard],
)


@asynccontextmanager
async def victims_platform(cluster: Cluster, signer: Signer, folder: Path) -> AsyncIterator[Platform]:
    """A platform with the victim alone."""
    async with Platform(cluster, folder, signer, {"victim": with_tables(folder)}) as platform:
        yield platform


def with_tables(folder: Path) -> Service:
    """The victim, its migration being in `folder`."""
    migrations = folder / "victim" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_tables.sql").write_text(MIGRATION)
    return replace(service, migrations=migrations)
