"""Cut, frozen or refused connections to broker and database: nothing is lost, nobody waits for ever (R-2, R-8, R-9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import pytest

from chassis.service import Runtime, running
from deploy.local.cluster import Cluster
from tests.faults import victim
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.proxy import Proxy
from tests.support.scale import scaled

CUTS = scaled(12, 400)
pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with the victim."""
    folder = tmp_path_factory.mktemp("cuts")
    migrations = folder / "victim" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_tables.sql").write_text(victim.MIGRATION)
    service = victim.service.__class__(**(vars(victim.service) | {"migrations": migrations}))
    platform = Platform(cluster, folder, signer, {"victim": service})
    await platform.prepare()
    try:
        yield platform
    finally:
        await platform.close()


def through(proxy: Proxy, url: str) -> str:
    """The same URL by way of the proxy."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}"))


def proxy_of(url: str) -> Proxy:
    """A proxy in front of the server a URL names."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return Proxy(parts.hostname, parts.port)


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


async def test_a_broker_connection_cut_at_any_byte_loses_nothing(
    house: Platform, client: aiohttp.ClientSession
) -> None:
    words = []
    async with proxy_of(house.broker("victim")).serving() as proxy, behind(house, broker=proxy) as runtime:
        await eventually(lambda: heard_something(house, client, runtime), timeout=30)
        for cut in range(CUTS):
            proxy.cut_after(60 + cut * (1200 // CUTS))
            words += [unique.word("cut") for _ in range(3)]
            assert [await say(client, runtime, word) for word in words[-3:]] == [204, 204, 204]
            await asyncio.sleep(0.3)
        await settled(house, words)


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
