"""Kills, cuts, freezes, a database away, while people work: nothing is lost (R-3, R-8, R-9)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from deploy.local.cluster import Cluster
from tests.faults import deeds
from tests.faults.checker import check
from tests.faults.journal import Known
from tests.faults.load import at_work
from tests.faults.monkeys import Monkeys
from tests.faults.place import Place, one_of_each, open_place, recovered, unpublished, without_broker, without_database
from tests.support.keys import Signer
from tests.support.scale import CHAOS, progress, scaled

ANSWER_SECONDS = 8.0  # of which an answer may take five; the rest is for a slow machine
ACTIONS = scaled(450, 200_000)
PACE = scaled(60, 170)
BUSY = 1000
pytestmark = pytest.mark.chaos
Tell = Callable[[str, object], None]


@pytest.fixture(scope="module")
async def place(
    cluster: Cluster, signer: Signer, client: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """Two processes of each service; in make test the broker is the one that all tests share, and nobody kills it."""
    async with open_place(cluster, signer, client, tmp_path_factory.mktemp("house")) as place:
        yield place


async def settle(place: Place, record_property: Tell, did: str) -> None:
    """Everything comes to rest, and nothing is wrong."""
    await place.house.all_ready()
    loop = asyncio.get_running_loop()
    began = loop.time()
    findings = await check(place.crowd)
    record_property("found", f"{did}; at rest after {loop.time() - began:.0f} s; {findings.line()}")
    assert not findings.wrong


@pytest.mark.requirement("R-9")
@pytest.mark.parametrize("kind", ["stopped", "frozen", "black-holed"])
async def test_without_the_database_everybody_is_answered_soon(place: Place, record_property: Tell, kind: str) -> None:
    crowd, slowest = place.crowd, 0.0
    loop = asyncio.get_running_loop()
    await deeds.change_profile(crowd, crowd.codes[0])  # so that listeners have something in their hands
    async with without_database(place, kind):
        for _ in range(scaled(1, 20)):
            began = loop.time()
            async with asyncio.timeout(ANSWER_SECONDS):
                replies = [
                    reply for five in await asyncio.gather(*(one_of_each(crowd) for _ in range(4))) for reply in five
                ]
            slowest = max(slowest, loop.time() - began)
            assert {reply.status for reply in replies} == {503}
    assert not any(life.over for life in place.house.lives.values()), place.house.logged()
    back = await recovered(crowd)
    await settle(place, record_property, f"{kind}: slowest answer {slowest:.1f} s, back after {back:.1f} s")


@pytest.mark.requirement("R-8")
@pytest.mark.parametrize("kind", ["away", "blocked"])
async def test_without_the_broker_requests_succeed(place: Place, record_property: Tell, kind: str) -> None:
    seconds, loop = scaled(2, 60), asyncio.get_running_loop()
    journal = place.crowd.journal.path
    async with at_work(place.crowd, PACE, workers=10):
        before = Known.read(journal)
        async with without_broker(place, kind):
            await asyncio.sleep(seconds)
        known, began = Known.read(journal), loop.time()
        waiting = await unpublished(place.house)
        while await unpublished(place.house) > PACE:
            await asyncio.sleep(0.1)
        drained = loop.time() - began
    asked = known.statuses - before.statuses
    failed = sum(count for status, count in asked.items() if status >= 500)
    assert failed <= asked.total() / 1000, asked
    did = f"{kind} for {seconds} s: {failed} of {asked.total()} requests failed"
    drain = f"{waiting} events left in {drained:.1f} s, {waiting / seconds:.0f}/s had come"
    await settle(place, record_property, f"{did}; {drain}")


@pytest.mark.requirement("R-12")
async def test_a_release_while_people_work_is_hardly_noticed(place: Place, record_property: Tell) -> None:
    journal, times = place.crowd.journal.path, scaled(1, 50)
    async with at_work(place.crowd, BUSY, workers=10):  # in every process somebody is always being answered
        before = Known.read(journal)
        for done in range(times):
            await place.house.renew()
            progress(f"{done + 1} of {times} releases")
        known = Known.read(journal)
    asked = known.statuses - before.statuses
    failed = sum(count for status, count in asked.items() if not 200 <= status < 500)
    assert failed <= max(1, asked.total() / 1000), asked  # one may meet the end of an idle connection
    await settle(place, record_property, f"{times} releases: {failed} of {asked.total()} requests failed")


@pytest.mark.requirement("R-3", "R-4")
async def test_kills_cuts_and_freezes_while_people_work(place: Place, record_property: Tell) -> None:
    crowd, seconds = place.crowd, ACTIONS / PACE
    monkeys = Monkeys(place.house, place.servers, {"database": place.database, "broker": place.broker})
    plans: dict[Any, int] = {
        monkeys.kill_service: scaled(4, 300),
        monkeys.kill_database: scaled(1, 40),
        monkeys.cut: scaled(3, 200),
        monkeys.freeze: scaled(1, 20),
        **({monkeys.kill_broker: scaled(0, 40)} if CHAOS else {}),
    }
    loop, journal = asyncio.get_running_loop(), crowd.journal
    before, began = journal.acknowledged, loop.time()
    async with at_work(crowd, PACE), asyncio.TaskGroup() as tasks:
        tasks.create_task(monkeys.supervise())
        running = [tasks.create_task(monkeys.harass(deed, times, seconds)) for deed, times in plans.items()]
        while not all(task.done() for task in running) or journal.acknowledged < before + ACTIONS:
            await asyncio.sleep(scaled(1, 10))
            progress(f"{loop.time() - began:5.0f} s: {journal.acknowledged - before} actions, {dict(monkeys.done)}")
        monkeys.over = True
    took, acknowledged = loop.time() - began, journal.acknowledged - before
    did = f"{acknowledged} acknowledged in {took:.0f} s ({acknowledged / took:.0f}/s), {dict(monkeys.done)}"
    await settle(place, record_property, did)
