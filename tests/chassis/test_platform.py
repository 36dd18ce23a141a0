"""A service says what it did exactly once, in order, numbered without gaps; and hears each event once."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aio_pika
import aiohttp
import pytest
from pydantic_settings import SettingsConfigDict

from chassis.amqp import Listeners, Park, hearing, parked, wake
from chassis.housekeeping import keep_house
from chassis.http import PUBLIC, Body, Routes
from chassis.messages import Command, Envelope, Event, Received, Unreadable, decode, encode, new_id
from chassis.service import Runtime, Service
from chassis.settings import Settings
from chassis.sql import Database, Tx
from chassis.sql.database import STATEMENT_SECONDS
from contracts.caller import Caller
from contracts.permissions import Permission
from deploy.local.cluster import Cluster
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker
from tests.support.processes import ROOT


class SampleSettings(Settings):
    """Settings of the sample service."""

    model_config = SettingsConfigDict(env_prefix="SAMPLE_")


class Wished(Command):
    """Somebody shall note a word."""

    word: str


class Noted(Event):
    """Somebody noted a word."""

    word: str
    how: str = "good"


class Rumoured(Event):
    """Another service noted a word."""

    word: str


Noted.__module__ = "contracts.sample"
Rumoured.__module__ = "contracts.other"

routes = Routes(tag="notes")
listeners = Listeners("notes")


class Note(Body):
    """A word to be noted."""

    word: str


@routes.post("/notes", needs=Permission.USE, status=204)
async def note(body: Note, caller: Caller, tx: Tx) -> None:
    """Note a word."""
    await tx.execute("insert into said (word) values ($1)", body.word)
    tx.emit(Noted(word=body.word))


@routes.get("/greeting", needs=PUBLIC)
async def greeting() -> dict[str, str]:
    """Anyone may ask."""
    return {"greeting": "hello"}


@listeners.on(Noted)
async def hear(message: Noted, received: Received[Noted], tx: Tx) -> None:
    """Write down what was noted."""
    if message.how == "early" and not await tx.fetchval(
        "select exists (select from said where word = $1)", message.word
    ):
        raise Park("the word is not known yet", key=message.word)
    if message.how == "early":
        await tx.execute("select pg_sleep($1)", STATEMENT_SECONDS + 0.5)
    if message.how == "broken":
        raise ZeroDivisionError
    await tx.execute("insert into heard (id, word) values ($1, $2)", received.id, message.word)


@listeners.on(Rumoured)
async def hear_rumour(message: Rumoured, received: Received[Rumoured], tx: Tx) -> None:
    """Write down what another service noted."""
    await tx.execute("insert into heard (id, word) values ($1, $2)", received.id, message.word)


MIGRATION = """-- tables of the sample service
create table said (word text primary key);
create table heard (id uuid not null, word text not null);
grant select, insert on said, heard to sample;
"""


@pytest.fixture(scope="module")
async def sample(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with the sample service alone."""
    folder: Path = tmp_path_factory.mktemp("sample")
    migrations = folder / "sample" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_tables.sql").write_text(MIGRATION)
    service = Service(
        name="sample", title="Sample", caller=Caller, settings=SampleSettings, migrations=migrations,
        routes=[routes], listeners=[listeners], sends=[Wished],
    )  # fmt: skip
    async with Platform(cluster, folder, signer, {"sample": service}) as platform:
        yield platform


@pytest.fixture(scope="module")
async def running(sample: Platform) -> Runtime:
    """The sample service."""
    return await sample.start("sample")


async def heard(database: Database, word: str) -> list[UUID]:
    """The ids under which a word was heard."""
    return [row["id"] for row in await database.fetch("select id from heard where word = $1", word)]


async def test_what_is_committed_is_heard_exactly_once(
    sample: Platform, running: Runtime, client: aiohttp.ClientSession
) -> None:
    word = unique.word()
    headers = sample.headers(callers.applicant(unique.policyholder_code()))
    async with client.post(f"{running.url}/notes", json={"word": word}, headers=headers) as answer:
        assert answer.status == 204, await answer.text()
    assert len(await eventually(lambda: heard(running.database, word))) == 1


async def test_what_is_rolled_back_is_never_said(
    sample: Platform, running: Runtime, client: aiohttp.ClientSession
) -> None:
    word = unique.word()
    headers = sample.headers(callers.applicant(unique.policyholder_code()))
    async with sample.hears(Noted) as spy:
        statuses = []
        for _ in range(2):
            async with client.post(f"{running.url}/notes", json={"word": word}, headers=headers) as answer:
                statuses.append(answer.status)
        await spy.next(word=word)
        await asyncio.sleep(0.3)
        assert statuses == [204, 500]
        assert [one for one in spy.seen if one["data"]["word"] == word] == []


async def test_an_event_delivered_twice_is_heard_once(sample: Platform, running: Runtime) -> None:
    word = unique.word()
    ids = await sample.say("sample", Noted(word=word))
    await sample.say("sample", Noted(word=word), ids=ids)
    last = unique.word()
    await sample.say("sample", Noted(word=last))
    await eventually(lambda: heard(running.database, last))
    assert await heard(running.database, word) == ids


async def test_numbers_of_a_producer_are_dense_although_transactions_roll_back(
    sample: Platform, running: Runtime
) -> None:
    words = [unique.word() for _ in range(30)]

    async def say(word: str, give_up: bool) -> None:
        try:
            async with running.database.transaction() as tx:
                tx.emit(Noted(word=word))
                if give_up:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    async with sample.hears(Noted) as spy:
        await asyncio.gather(*(say(word, place % 3 == 0) for place, word in enumerate(words)))
        numbers = [int((await spy.next(word=word))["sequence"]) for place, word in enumerate(words) if place % 3]
    assert sorted(numbers) == list(range(min(numbers), min(numbers) + 20))


async def test_commands_are_numbered_apart_so_that_events_alone_are_dense(sample: Platform, running: Runtime) -> None:
    words = [unique.word() for _ in range(10)]
    async with sample.hears(Noted, Wished) as spy:
        for word in words:
            async with running.database.transaction() as tx:
                tx.emit(Noted(word=word))
                tx.emit(Wished(word=word))
                tx.emit(Wished(word=word))
        found = [await spy.next(word=word) for word in words for _ in range(3)]
    for kind, count in ((Noted, 10), (Wished, 20)):
        numbers = [int(one["sequence"]) for one in found if one["type"] == kind.wire_type()]
        assert sorted(numbers) == list(range(min(numbers), min(numbers) + count))


async def test_a_restored_database_numbers_its_events_on_from_where_the_operations_page_sets_it(
    sample: Platform, running: Runtime
) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (statement,) = re.findall(r'-c "(update relay_positions .*)"', page)
    async with sample.hears(Noted) as spy, sample.owner("sample") as database:

        async def number() -> int:
            word = unique.word()
            async with running.database.transaction() as tx:
                tx.emit(Noted(word=word))
            return int((await spy.next(word=word))["sequence"])

        last = await number() + 4711
        await database.execute(statement.replace("4711", str(last)))
        assert [await number(), await number()] == [last + 1, last + 2]


async def test_an_early_event_waits_for_what_it_needs_and_then_has_its_time(sample: Platform, running: Runtime) -> None:
    word = unique.word()
    await sample.say("sample", Noted(word=word, how="early"))

    async def parked() -> Any:
        return await running.database.fetchval("select reason from parked where key = $1 and state = 'parked'", word)

    assert await eventually(parked) == "the word is not known yet"
    async with running.database.transaction() as tx:
        await tx.execute("insert into said (word) values ($1)", word)
        await wake(tx, word)
    assert len(await eventually(lambda: heard(running.database, word))) == 1


async def test_a_handler_that_breaks_is_tried_again_and_holds_up_nobody(sample: Platform, running: Runtime) -> None:
    broken, good = unique.word(), unique.word()
    (event_id,) = await sample.say("sample", Noted(word=broken, how="broken"))
    await sample.say("sample", Noted(word=good))
    await eventually(lambda: heard(running.database, good))

    async def tried_again() -> Any:
        return await running.database.fetchrow("select * from parked where id = $1 and attempts >= 1", event_id)

    row = await eventually(tried_again)
    assert row["state"] == "retrying"
    assert row["reason"].startswith("ZeroDivisionError in hear")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b'[{"specversion":"1.0"}]', "id: "),
        (b"[" * 5000, "not JSON"),
        (b'{"specversion":"0.3","id":"0192f0c0-0000-7000-8000-000000000000","type":"sample.noted",'
         b'"source":"/sample","time":"2026-01-01T00:00:00Z","data":{}}', "specversion: "),
        (b'{"specversion":"1.0","id":"0192f0c0-0000-7000-8000-000000000001","type":"sample.noted",'
         b'"source":"/sample","time":"2026-01-01T00:00:00Z","data":{"word":7}}', "word: "),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_goes_to_quarantine_with_its_reason(
    sample: Platform, running: Runtime, body: bytes, reason: str
) -> None:
    before = await running.database.fetchval("select coalesce(max(number), 0) from parked")
    await Speaker(sample.broker("sample"), "sample").publish_raw(body, "events", Noted.wire_type())
    word = unique.word()
    await sample.say("sample", Noted(word=word))
    await eventually(lambda: heard(running.database, word))
    row = await running.database.fetchrow("select * from parked where number > $1 and state = 'unreadable'", before)
    assert reason in row["reason"]


async def test_what_the_broker_gave_up_on_is_heard_apart_unless_it_was_heard(
    sample: Platform, running: Runtime
) -> None:
    """A crash that uses up the deliveries may have come after a part of the message was handled."""
    known, unknown = Noted(word=unique.word()), Noted(word=unique.word())
    (heard_id,) = await sample.say("sample", known)
    await eventually(lambda: heard(running.database, known.word))
    lost_id = new_id()
    envelopes = [
        (Envelope(event_id, Noted.wire_type(), "/sample", unique.now(), None), message.model_dump_json())
        for event_id, message in ((heard_id, known), (lost_id, unknown))
    ]
    await give_up_on(sample, encode(envelopes))

    assert await eventually(lambda: heard(running.database, unknown.word)) == [lost_id]
    row = await running.database.fetchrow("select state, reason from parked where id = $1", lost_id)
    assert tuple(row) == ("replayed", "delivery limit reached")
    assert await running.database.fetchval("select count(*) from parked where id = $1", heard_id) == 0


async def give_up_on(sample: Platform, body: bytes) -> None:
    """The service's own user says this, and the broker moves it to the queue for what used up its deliveries."""
    async with await aio_pika.connect(f"{sample.cluster.broker_url}/{sample.host}") as connection:
        channel = await connection.channel()
        dying = {"x-message-ttl": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "sample.notes.dead"}
        queue = await channel.declare_queue(exclusive=True, arguments=dying)
        key = f"sample.{unique.word()}"
        await queue.bind("events", key)
        await Speaker(sample.broker("sample"), "sample").publish_raw(body, "events", key)


async def say_raw(sample: Platform, *items: bytes) -> None:
    """The service's own user says these in one message, and everything before the end of this has been heard."""
    last = unique.word()
    async with Speaker(sample.broker("sample"), "sample") as speaker:
        await speaker.publish_raw(b"[" + b",".join(items) + b"]", "events", Noted.wire_type())
        await speaker.publish(Noted(word=last))
    async with sample.owner("sample") as database:
        await eventually(lambda: heard(database, last))


def item(message: Event, event_id: UUID | None = None) -> bytes:
    """One event as it stands in a message."""
    envelope = Envelope(event_id or new_id(), message.wire_type(), "/sample", unique.now(), None)
    return encode([(envelope, message.model_dump_json())])[1:-1]


async def aside(database: Database, part: str) -> list[Any]:
    """What was set aside with this text in its body, in order."""
    return await database.fetch("select * from parked where position($1 in body) > 0 order by number", part.encode())


@pytest.mark.requirement("B-3")
async def test_what_another_service_would_have_said_is_never_carried_out(sample: Platform, running: Runtime) -> None:
    """Not when it comes, not when it was dead-lettered, and not when an operator replays everything."""
    words = [unique.word() for _ in range(3)]
    direct, hidden, buried = (item(Rumoured(word=word)) for word in words)
    await say_raw(sample, direct)
    await say_raw(sample, b"{}", hidden)
    await give_up_on(sample, b"[" + buried + b"]")
    rows = [row for word in words for row in await eventually(lambda one=word: aside(running.database, one))]
    assert [row["state"] for row in rows] == ["unreadable"] * 4
    async with running.database.transaction() as tx:
        await parked.replay(tx, None)
    assert [row for word in words for row in await aside(running.database, word)] == rows
    async with running.database.transaction() as tx:
        assert await parked.replay(tx, [row["number"] for row in rows]) == 4

    async def tried() -> bool:
        found = [row for word in words for row in await aside(running.database, word)]
        return all(row["state"] == "parked" for row in found)

    await eventually(tried)
    assert [await heard(running.database, word) for word in words] == [[], [], []]


@pytest.mark.requirement("B-3")
async def test_a_message_with_many_broken_events_is_kept_once_and_its_good_ones_are_heard_once(
    sample: Platform, running: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = unique.word()
    items = [b"{}", item(Noted(word=word)), b'{"specversion":"1.0"}', b"[]", b"{}"]
    for _ in range(2):
        await say_raw(sample, *items)
    (row,) = await aside(running.database, word)
    assert row["reason"].count("id: Field required") == 2

    def forgiving(body: bytes) -> list[Envelope | Unreadable]:
        return [one for one in decode(body) if isinstance(one, Envelope)]

    monkeypatch.setattr(hearing, "decode", forgiving)
    async with running.database.transaction() as tx:
        assert await parked.replay(tx, [row["number"]]) == 1

    async def replayed() -> bool:
        return [row["state"] for row in await aside(running.database, word)] == ["replayed"]

    await eventually(replayed)
    assert len(await heard(running.database, word)) == 1


@pytest.mark.requirement("B-3")
async def test_of_several_with_one_id_one_is_replayed_at_a_time(sample: Platform, running: Runtime) -> None:
    event_id, words = new_id(), [unique.word() for _ in range(2)]
    for word in words:
        await say_raw(sample, item(Rumoured(word=word), event_id))
    numbers = [row["number"] for word in words for row in await aside(running.database, word)]
    assert len(numbers) == 2
    async with running.database.transaction() as tx:
        assert await parked.replay(tx, numbers) == 1
        assert await parked.replay(tx, numbers[1:]) == 0
        assert await parked.replay(tx, None) >= 0


async def test_a_second_process_takes_over_the_relay(sample: Platform, running: Runtime) -> None:
    word = unique.word()
    async with sample.running("sample") as second:
        async with second.database.transaction() as tx:
            tx.emit(Noted(word=word))
        assert len(await eventually(lambda: heard(running.database, word))) == 1


async def test_readiness_names_each_dependency(running: Runtime, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{running.url}/ready") as answer:
        assert (await answer.json())["checks"] == dict.fromkeys(("database", "access", "broker", "outbox"), "ok")


async def test_what_was_heard_is_known_for_more_than_a_year_and_then_forgotten(running: Runtime) -> None:
    """Also what was parked and handled after all; what an operator gave up stays."""
    known, forgotten, listener = timedelta(days=366), timedelta(days=401), unique.word()
    async with running.database.transaction() as tx:
        for age in (known, forgotten):
            await tx.execute("insert into inbox values ($1, gen_random_uuid(), now() - $2::interval)", listener, age)
            for state in ("replayed", "discarded", "parked"):
                await tx.execute(
                    "insert into parked (listener, id, state, reason, changed_at, body)"
                    " values ($1, gen_random_uuid(), $2, '', now() - $3::interval, '')",
                    listener, state, age,
                )  # fmt: skip

    async def left() -> bool:
        heard = await running.database.fetchval("select count(*) from inbox where listener = $1", listener)
        kept = await running.database.fetch("select state from parked where listener = $1 order by 1", listener)
        return (heard, [row["state"] for row in kept]) == (1, [*["discarded"] * 2, *["parked"] * 2, "replayed"])

    keeping = asyncio.create_task(keep_house(running.database))
    try:
        await eventually(left)
    finally:
        keeping.cancel()
        await running.database.execute("delete from parked where listener = $1", listener)
