"""The outbox is carried by one process of a service, and by another as soon as that one cannot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from yarl import URL

from chassis.amqp import relay as relays
from chassis.amqp.relay import Relay
from chassis.sql import Database
from contracts.identity import LoggedOut
from deploy.local.cluster import Cluster
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, services
from tests.support.proxy import Proxy

pytestmark = pytest.mark.requirement("R-9")


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform on which nobody but the tests carries an outbox."""
    of = {name: services()[name] for name in ("identity", "audit")}
    async with Platform(cluster, tmp_path_factory.mktemp("relay"), signer, of=of) as platform:
        yield platform


@pytest.fixture
async def database(house: Platform) -> AsyncIterator[Database]:
    """The database whose outbox is carried."""
    database = await Database.connect(house.database("identity"), source="identity", size=2)
    yield database
    await database.close()


@asynccontextmanager
async def relaying(house: Platform, database: Database, dsn: str) -> AsyncIterator[None]:
    """A process' relay at work."""
    task = asyncio.create_task(Relay(database, dsn, {"": house.broker("identity")}).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=5)


async def say(database: Database) -> None:
    """Something to be carried."""
    operator = callers.applicant(unique.policyholder_code()).operator
    async with database.transaction() as tx:
        tx.emit(LoggedOut(operator=operator))


async def carried(database: Database) -> bool:
    """Whether nothing waits."""
    return not await database.fetchval("select exists (select from outbox)")


@pytest.fixture
async def wire(house: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """The way to the database, for relays whose patience is short."""
    monkeypatch.setattr(relays, "STATEMENT_SECONDS", 1.0)
    monkeypatch.setattr(relays, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(relays, "SESSION", relays.SESSION | {"idle_session_timeout": "2s"})
    server = URL(house.database("identity"))
    async with Proxy(server.host or "", server.port or 0).serving() as proxy:
        yield proxy


def through(wire: Proxy, house: Platform) -> str:
    """The database at the end of the wire."""
    return str(URL(house.database("identity")).with_host("127.0.0.1").with_port(wire.port))


async def test_a_leader_notices_that_its_database_vanished_without_a_word(
    house: Platform, database: Database, wire: Proxy
) -> None:
    async with relaying(house, database, through(wire, house)):
        for _ in range(2):  # the second time every statement is prepared: what is cut off is an idle connection
            await say(database)
            await eventually(lambda: carried(database))
        wire.mute()
        await say(database)
        await eventually(lambda: carried(database))


async def test_a_follower_notices_that_its_database_vanished_without_a_word(
    house: Platform, database: Database, wire: Proxy
) -> None:
    async def following() -> bool:
        return wire.passed["client"] > 1000

    async with AsyncExitStack() as leader:
        await leader.enter_async_context(relaying(house, database, house.database("identity")))
        await say(database)
        await eventually(lambda: carried(database))
        async with relaying(house, database, through(wire, house)):
            await eventually(following)
            wire.mute()
            await leader.aclose()
            await say(database)
            await eventually(lambda: carried(database))
