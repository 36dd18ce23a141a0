"""A missing event is noticed by the hole in its producer's numbers, and nothing else raises that alarm (R-5)."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from prometheus_client import REGISTRY

from audit.listeners import gaps
from audit.service import service
from audit.store import sequences
from chassis.amqp import relay
from chassis.messages import Envelope, Event, OutboxPosition, encode, new_id
from chassis.service import Runtime, Service
from chassis.settings import Settings
from contracts.actions import Operator
from contracts.audit import GapFound
from contracts.caller import Caller
from contracts.identity import LoginSucceeded
from deploy.local.cluster import Cluster
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker
from tests.support.scale import scaled

SAID = LoginSucceeded(operator=Operator(policyholder_code="555555555", user_id="555555555001", name="日本　太郎"))
OWN = "test_gaps"
BESIDE = "test_beside"
SILENT = "test_silent"
NAMES = ("identity", "accounts", "applications", "notifier", OWN, BESIDE, SILENT)


class Said(Event):
    """What this module's own service says."""


class AlsoSaid(Event):
    """Something else, so that it travels in a message of its own."""


@pytest.fixture(scope="module")
async def numbered(cluster: Cluster, signer: Signer, tmp_path_factory: Any) -> AsyncIterator[Platform]:
    """A platform on which these tests alone give the producers' numbers."""
    folder: Path = tmp_path_factory.mktemp("gaps")
    (folder / "silent").mkdir()
    others = {name: Service(name, name, Caller, Settings, folder / "silent") for name in NAMES}
    async with Platform(cluster, folder, signer, of={"audit": service, **others}) as platform:
        await platform.start("audit", gap_seconds=0.6)
        yield platform


@asynccontextmanager
async def producer(platform: Platform, name: str, *, silent: bool = False) -> AsyncIterator[Any]:
    """Says events under given numbers, several in one message; and, unless it is silent, how far it is."""
    async with Speaker(platform.broker(name), name) as speaker:
        kind, position = LoginSucceeded.wire_type().replace("identity", name), f"{name}.{OutboxPosition.NAME}"
        last = 0

        async def say(*numbers: int) -> None:
            nonlocal last
            now = datetime.now(UTC)
            batch = [Envelope(new_id(), kind, f"/{name}", now, None, number) for number in numbers]
            await speaker.publish_raw(encode([(one, SAID.model_dump_json()) for one in batch]), "events", kind)
            last = max(last, *numbers)

        async def go_on() -> None:
            while not silent:
                await asyncio.sleep(0.2)
                envelope = Envelope(new_id(), position, f"/{name}", datetime.now(UTC), None, None)
                await speaker.publish_raw(encode([(envelope, f'{{"last": {last}}}')]), "events", position)

        going_on = asyncio.create_task(go_on())
        yield say
        going_on.cancel()


async def heard(platform: Platform, name: str, last: int) -> None:
    """Wait until this number was recorded."""

    async def there() -> bool:
        async with platform.owner("audit") as database:
            found = await database.fetchval("select heard @> $2::bigint from producers where producer = $1", name, last)
            return bool(found)

    await eventually(there)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holes are reported after a minute only: on a busy machine it may take a moment until one closes."""
    look = gaps.look
    monkeypatch.setattr(gaps, "look", lambda database, _: look(database, timedelta(minutes=1)))


async def holes(platform: Platform, name: str) -> list[tuple[int, int]]:
    """What is missing of a producer now."""
    async with platform.owner("audit") as database, database.transaction() as tx:
        await sequences.look(tx)
        return [(gap["first"], gap["last"]) for gap in await sequences.open_gaps(tx) if gap["producer"] == name]


async def test_an_event_removed_in_flight_is_reported_once(numbered: Platform) -> None:
    async with numbered.hears(GapFound) as spy, producer(numbered, "identity") as say:
        await say(1, 2, 3)
        await say(5, 6)
        gap = await spy.next(producer="identity")
        assert (gap["data"]["first"], gap["data"]["last"]) == (4, 4)
        await say(9)
        gap = await spy.next(producer="identity")
        assert (gap["data"]["first"], gap["data"]["last"]) == (7, 8)
        assert not spy.seen


async def test_a_process_that_leads_no_longer_says_nothing_of_what_is_missing(
    numbered: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one counts from then on, and an alert takes the greatest number that any of them says."""
    looked = asyncio.Event()

    async def look(*_: object) -> None:
        gaps.MISSING.labels("nobody").set(3)
        looked.set()
        raise ConnectionError

    async def silent() -> bool:
        return REGISTRY.get_sample_value("audit_missing_events", {"producer": "nobody"}) is None

    monkeypatch.setattr(gaps, "look", look)
    await looked.wait()
    await eventually(silent)


async def test_two_that_look_at_once_enter_a_gap_once(cluster: Cluster, signer: Signer, tmp_path: Path) -> None:
    async with (
        Platform(cluster, tmp_path, signer, of={"audit": service}) as platform,
        platform.owner("audit") as database,
    ):
        await database.execute("insert into producers (producer, heard) values ('identity', '{[3,4)}')")
        async with asyncio.TaskGroup() as tasks, database.transaction() as first:
            await sequences.look(first)
            async with database.transaction() as second:
                later = tasks.create_task(sequences.look(second))
                await asyncio.sleep(0.1)  # it waits for what the first has entered
                await first.connection.execute("commit; begin")
                await later
        (gap,) = await sequences.open_gaps(database)
        assert (gap["first"], gap["last"]) == (1, 2)


@pytest.mark.requirement("R-5")
async def test_who_says_nothing_is_not_judged_before_the_next_word(numbered: Platform) -> None:
    """After an outage relays say first what was never confirmed: what is missing until then is no loss."""
    async with numbered.hears(GapFound) as spy, producer(numbered, SILENT, silent=True) as say:
        await say(1, 4)
        await heard(numbered, SILENT, 4)
        await eventually(lambda: holes(numbered, SILENT))
        await asyncio.sleep(1.5)  # more than twice as long as an event may be missing
        await say(2)
        await heard(numbered, SILENT, 2)
        gap = await spy.next(producer=SILENT)
        assert (gap["data"]["first"], gap["data"]["last"]) == (3, 3)


async def test_a_missing_first_event_is_a_gap_too(numbered: Platform) -> None:
    async with numbered.hears(GapFound) as spy, producer(numbered, "accounts") as say:
        await say(2)
        assert (await spy.next(producer="accounts"))["data"]["first"] == 1


@pytest.mark.usefixtures("patient")
async def test_disorder_and_repetition_are_no_gaps(numbered: Platform) -> None:
    """Messages overtake each other and come again, each hole closing within the time allowed."""
    chance = random.Random(7)
    numbers = list(range(1, 601))
    batches = [numbers[start : start + 10] for start in range(0, 600, 10)]
    for start in range(0, 60, 12):
        part = batches[start : start + 12]
        chance.shuffle(part)
        batches[start : start + 12] = part
    async with numbered.hears(GapFound) as spy, producer(numbered, "applications") as say:
        for batch in batches:
            await say(*chance.sample(batch, len(batch)))
            if chance.random() < 0.3:
                await say(*chance.choice(batches[:5]))
        await say(*numbers)
        await heard(numbered, "applications", 600)
        await say(601)
        await heard(numbered, "applications", 601)

        async def whole() -> bool:
            return not await holes(numbered, "applications")

        await eventually(whole)
        assert [one for one in spy.seen if one["data"]["producer"] == "applications"] == []


async def test_a_late_event_closes_its_gap_and_an_operator_may_explain_one(numbered: Platform) -> None:
    async with numbered.hears(GapFound) as spy, producer(numbered, "notifier") as say:
        await say(1, 3, 5)
        await spy.next(producer="notifier")
        await spy.next(producer="notifier")

        async def open_gaps() -> list[Any]:
            async with numbered.owner("audit") as database:
                return [row for row in await sequences.open_gaps(database) if row["producer"] == "notifier"]

        first, second = await open_gaps()
        assert (first["first"], first["last"], second["first"]) == (2, 2, 4)
        await say(2)

        async def one_left() -> bool:
            return len(await open_gaps()) == 1

        await eventually(one_left)
        async with numbered.owner("audit") as database, database.transaction() as tx:
            assert await sequences.explain(tx, second["number"], "a test took it")
            assert not await sequences.explain(tx, first["number"], "closed already")
            await sequences.look(tx)
            assert await sequences.due(tx, timedelta()) == []
        async with numbered.owner("audit") as database:
            missing = {row["producer"]: row["missing"] for row in await sequences.missing(database)}
        assert missing["notifier"] == 0


@pytest.mark.requirement("R-5")
async def test_what_is_lost_beside_a_known_gap_is_reported_too_also_beside_an_explained_one(numbered: Platform) -> None:
    async with numbered.hears(GapFound) as spy, producer(numbered, BESIDE) as say:

        async def reported(number: int) -> None:
            gap = await spy.next(producer=BESIDE)
            assert (gap["data"]["first"], gap["data"]["last"]) == (number, number)

        async def announce(last: int) -> None:
            async with numbered.owner("audit") as database, database.transaction() as tx:
                await sequences.announced(tx, {BESIDE: last})

        await say(1)
        await heard(numbered, BESIDE, 1)
        await announce(2)
        await reported(2)
        await announce(3)
        await reported(3)
        async with numbered.owner("audit") as database, database.transaction() as tx:
            for gap in await sequences.open_gaps(tx):
                if gap["producer"] == BESIDE:
                    await sequences.explain(tx, gap["number"], "a test took it")
        await announce(4)
        await reported(4)
        async with numbered.owner("audit") as database:
            missing = {row["producer"]: row["missing"] for row in await sequences.missing(database)}
        assert missing[BESIDE] == 1
        await say(2, 3, 4)
        await heard(numbered, BESIDE, 4)


async def say(producer: Runtime, *kinds: type[Event]) -> None:
    """A real service says these, one transaction each."""
    for kind in kinds:
        async with producer.database.transaction() as tx:
            tx.emit(kind())


@asynccontextmanager
async def theft(platform: Platform) -> AsyncIterator[asyncio.Event]:
    """Takes the next of our events out of audit's queue before audit gets it; set when it is done."""
    connection = await aio_pika.connect(f"{platform.cluster.broker_url}/{platform.host}")
    done = asyncio.Event()

    async def take(delivery: Any) -> None:
        if not done.is_set() and json.loads(delivery.body)[0]["type"] == Said.wire_type():
            await delivery.ack()
            done.set()

    async with connection:  # what else came here goes back when the connection is closed
        queue = await (await connection.channel()).get_queue("audit.events", ensure=False)
        await queue.consume(take, arguments={"x-priority": 10})
        yield done


@pytest.mark.chaos
@pytest.mark.requirement("R-5")
async def test_the_loss_of_each_event_is_reported_of_the_very_last_too(
    numbered: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POSITION_SECONDS", 0.1)
    chance, last = random.Random(3), 0
    async with numbered.running(OWN) as producer, numbered.hears(GapFound) as spy:
        for before in (1, 0, 2, *(chance.randrange(3) for _ in range(scaled(0, 30)))):  # 0: beside the one before
            await say(producer, *[AlsoSaid] * before)
            if before:  # or the thief holds them up, too
                await heard(numbered, OWN, last + before)
            async with theft(numbered) as taken:
                await say(producer, Said)
                await taken.wait()
            last += before + 1
            gap = await spy.next(producer=OWN)
            assert (gap["data"]["first"], gap["data"]["last"]) == (last, last)
        assert not [one for one in spy.seen if one["data"]["producer"] == OWN]


@pytest.mark.chaos
@pytest.mark.requirement("R-5")
@pytest.mark.usefixtures("patient")
async def test_nothing_is_reported_while_everything_arrives(
    numbered: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A working service says how far it is again and again; audit has always heard that much."""
    monkeypatch.setattr(relay, "POSITION_SECONDS", 0.0)
    stolen = await holes(numbered, OWN)
    async with numbered.running(OWN) as producer, numbered.hears(GapFound) as spy:
        await asyncio.gather(*(say(producer, *[Said, AlsoSaid] * scaled(40, 2000)) for _ in range(5)))

        async def everything_is_heard() -> bool:
            last = await producer.database.fetchval("select last_sequence from relay_positions")
            async with numbered.owner("audit") as database:
                found = await database.fetchrow(
                    "select announced, upper(heard) - 1 as heard from producers where producer = $1", OWN
                )
            return tuple(found) == (last, last) and await holes(numbered, OWN) == stolen

        await eventually(everything_is_heard, timeout=60)
        assert not [one for one in spy.seen if one["data"]["producer"] == OWN]
