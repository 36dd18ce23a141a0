"""A consumer that keeps dying uses up the deliveries of healthy messages: they are heard all the same (R-13)."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from chassis.amqp import topology
from chassis.sql import Database
from deploy.local.cluster import Cluster
from tests.faults.house import House, open_house
from tests.faults.victim import Noted, with_tables
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.scale import scaled

LIMIT = 2
WORDS = scaled(30, 1000)
pytestmark = [pytest.mark.chaos, pytest.mark.requirement("R-13", "H4")]


@pytest.fixture(scope="module")
async def house(
    cluster: Cluster, signer: Signer, client: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The victim as a process, on queues that give up early."""
    folder = tmp_path_factory.mktemp("limit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topology, "DELIVERY_LIMIT", LIMIT)
        async with open_house(cluster, signer, folder, client, {"victim": with_tables(folder)}) as house:
            yield house


@pytest.fixture
async def database(house: House) -> AsyncIterator[Database]:
    """The victim's database with the owner's rights."""
    async with house.platform.owner("victim") as database:
        yield database


async def say(house: House, words: list[str]) -> None:
    """Each in a message of its own."""
    await house.platform.say("victim", *(Noted(word=word) for word in words))


async def all_heard(database: Database, words: list[str]) -> bool:
    """Each of them, once."""
    rows = await database.fetch("select word from heard where word = any($1)", words)
    assert len(rows) == len({row["word"] for row in rows})
    return len(rows) == len(words)


async def test_healthy_messages_that_the_broker_gave_up_on_are_heard(house: House, database: Database) -> None:
    words = [unique.word() for _ in range(WORDS)]
    await say(house, words)
    for _ in range(LIMIT + 1):
        life = await house.begin("victim", death=("received, nothing heard", 1))
        async with asyncio.timeout(30):
            await life.ended()
    await house.all_ready()
    await eventually(lambda: all_heard(database, words), timeout=60)
    given_up = await database.fetchval("select count(*) from parked where reason = 'delivery limit reached'")
    assert given_up

    async def all_replayed() -> bool:
        return bool(await database.fetchval("select bool_and(state = 'replayed') from parked"))

    await eventually(all_replayed, timeout=60)


async def test_an_event_that_kills_its_process_comes_to_rest_and_the_others_are_heard(
    house: House, database: Database
) -> None:
    words = [unique.word() for _ in range(WORDS)]
    deadly = unique.word("deadly")
    await say(house, [*words[:10], deadly, *words[10:]])

    async def resting() -> bool:
        if house.lives["victim", 0].over:
            await house.begin("victim")
        await database.execute("update parked set next_try_at = now() where state = 'retrying'")
        await asyncio.sleep(0.1)
        rows = await database.fetch("select body from parked where state = 'parked'")
        found = [row for row in rows if deadly.encode() in row["body"]]
        return bool(found) and await all_heard(database, words)

    await eventually(resting, timeout=120)
    await asyncio.sleep(1)
    assert await house.ready(house.lives["victim", 0])
