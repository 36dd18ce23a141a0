"""Frozen or refused connections to broker and database: nothing is lost, nobody waits for ever (R-8, R-9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from chassis.service import Runtime, running
from tests.faults.wires import proxy_of, through
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.proxy import Proxy

pytestmark = pytest.mark.chaos


@asynccontextmanager
async def behind(
    house: Platform, *, broker: Proxy | None = None, database: Proxy | None = None
) -> AsyncIterator[Runtime]:
    """The victim with its broker or its database behind a proxy."""
    settings = house.settings("victim")
    changed = {}
    if broker is not None:
        changed["broker_url"] = through(broker, settings.broker_url)
    if database is not None:
        changed["database_url"] = through(database, settings.database_url)
    async with running(house.services["victim"], settings.model_copy(update=changed)) as runtime:
        yield runtime


async def say(client: aiohttp.ClientSession, runtime: Runtime, word: str) -> int:
    """One request; answers its status."""
    async with client.post(f"{runtime.url}/notes", json={"word": word}) as answer:
        return answer.status


async def settled(house: Platform, words: list[str]) -> None:
    """Every word has been heard exactly once, by both kinds of listener."""
    async with house.owner("victim") as database:

        async def all_heard() -> bool:
            heard = await database.fetchval("select count(distinct word) from heard where word = any($1)", words)
            recorded = await database.fetchval("select count(*) from recorded where word = any($1)", words)
            return bool(heard == recorded == len(words))

        await eventually(all_heard, timeout=45)
        assert await database.fetchval("select count(*) from heard where word = any($1)", words) == len(words)


async def heard_something(house: Platform, client: aiohttp.ClientSession, runtime: Runtime) -> bool:
    """The whole way is open."""
    word = unique.word("probe")
    assert await say(client, runtime, word) == 204
    await settled(house, [word])
    return True


async def test_while_the_broker_is_frozen_requests_succeed_and_the_backlog_leaves_afterwards(
    house: Platform, client: aiohttp.ClientSession
) -> None:
    async with proxy_of(house.broker("victim")).serving() as proxy, behind(house, broker=proxy) as runtime:
        await heard_something(house, client, runtime)
        proxy.freeze()
        words = [unique.word("frozen") for _ in range(50)]
        assert {await say(client, runtime, word) for word in words} == {204}
        proxy.thaw()
        await settled(house, words)


async def test_while_the_broker_refuses_requests_succeed_and_the_backlog_leaves_afterwards(
    house: Platform, client: aiohttp.ClientSession
) -> None:
    async with proxy_of(house.broker("victim")).serving() as proxy, behind(house, broker=proxy) as runtime:
        await heard_something(house, client, runtime)
        proxy.refusing = True
        proxy.cut()
        words = [unique.word("refused") for _ in range(50)]
        assert {await say(client, runtime, word) for word in words} == {204}
        proxy.refusing = False
        await settled(house, words)


@pytest.mark.parametrize("trouble", ["freeze", "refuse"])
async def test_without_its_database_a_service_answers_soon_parks_nothing_and_recovers(
    house: Platform, client: aiohttp.ClientSession, trouble: str
) -> None:
    async with proxy_of(house.database("victim")).serving() as proxy, behind(house, database=proxy) as runtime:
        await heard_something(house, client, runtime)
        if trouble == "freeze":
            proxy.freeze()
        else:
            proxy.refusing = True
            proxy.cut()
        async with asyncio.timeout(8):  # of which an answer may take five; the rest is for a slow machine
            answers = await asyncio.gather(*(say(client, runtime, unique.word("away")) for _ in range(30)))
        assert set(answers) == {503}
        proxy.refusing = False
        proxy.thaw()
        await eventually(lambda: heard_something_again(house, client, runtime), timeout=40)
        async with house.owner("victim") as database:
            assert await database.fetchval("select count(*) from parked") == 0


async def heard_something_again(house: Platform, client: aiohttp.ClientSession, runtime: Runtime) -> bool:
    """The way is open again."""
    word = unique.word("again")
    if await say(client, runtime, word) != 204:
        return False
    await settled(house, [word])
    return True
