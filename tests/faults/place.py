"""A house on servers of its own, everything between them going through proxies; and the troubles it may be put into."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.local.cluster import Cluster
from tests.faults import deeds
from tests.faults.crowd import PASSWORD, Crowd, Reply, open_crowd
from tests.faults.house import House, open_house
from tests.faults.servers import OwnServers, own_servers
from tests.faults.wires import proxy_of, through
from tests.support import callers
from tests.support.keys import Signer
from tests.support.proxy import Proxy
from tests.support.scale import CHAOS


@dataclass
class Place:
    """A house on servers of its own, everything between them going through proxies."""

    crowd: Crowd
    servers: OwnServers
    database: Proxy
    broker: Proxy

    @property
    def house(self) -> House:
        """The services' processes."""
        return self.crowd.house


@asynccontextmanager
async def open_place(
    cluster: Cluster, signer: Signer, client: aiohttp.ClientSession, folder: Path
) -> AsyncIterator[Place]:
    """Two processes of each service; in make test the broker is the one that all tests share, and nobody kills it."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(own_servers("under-load", broker=CHAOS))
        house = await stack.enter_async_context(open_house(servers.cluster(cluster), signer, folder, client))
        platform = house.platform
        database = await stack.enter_async_context(proxy_of(platform.cluster.postgres_url).serving())
        broker = await stack.enter_async_context(proxy_of(platform.cluster.broker_url).serving())
        for name in platform.services:
            house.told[name] = house.told.get(name, {}) | {
                "database_url": through(database, platform.database(name)),
                "broker_url": through(broker, platform.broker(name)),
                "partner_broker_url": through(broker, platform.broker(name, platform.partner_host)),
            }
        house.processes = 2
        await house.all_ready()
        yield Place(await stack.enter_async_context(open_crowd(house)), servers, database, broker)


async def one_of_each(crowd: Crowd) -> list[Reply]:
    """One request to each service."""
    code = crowd.codes[0]
    headers = crowd.as_(callers.administrator(code))
    requests = (
        deeds.look(crowd, code),
        deeds.report(crowd, code),
        deeds.Visitor(crowd, code).log_in(PASSWORD),
        crowd.ask("accounts", "GET", "/accounts", headers=headers),
        crowd.ask("notifier", "GET", "/mails", headers=crowd.as_(callers.operator())),
    )
    return list(await asyncio.gather(*requests))


async def recovered(crowd: Crowd) -> float:
    """Seconds until every service answers well again."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(60):
        while not all(reply.good for reply in await one_of_each(crowd)):
            await asyncio.sleep(0.1)
    return loop.time() - began


async def unpublished(house: House) -> int:
    """Events in all outboxes."""
    count = 0
    for name in house.platform.services:
        async with house.platform.owner(name) as database:
            count += await database.fetchval("select count(*) from outbox")
    return count


@asynccontextmanager
async def without_database(place: Place, kind: str) -> AsyncIterator[None]:
    """The database is stopped, stands still, or can be reached and never answers."""
    if kind == "stopped":
        await place.servers.kill_postgres()
    elif kind == "frozen":
        place.servers.freeze()
    else:
        place.database.freeze()
    try:
        yield
    finally:
        if kind == "stopped":
            await asyncio.to_thread(place.servers.postgres.start)
        place.servers.thaw()
        place.database.thaw()


@asynccontextmanager
async def without_broker(place: Place, kind: str) -> AsyncIterator[None]:
    """The broker is away, or takes nothing; the one that all tests share only seems so."""
    if kind == "away":
        place.broker.refusing = True
        place.broker.cut()
    elif CHAOS:
        await place.servers.block_broker(True)
    else:
        place.broker.freeze()
    try:
        yield
    finally:
        place.broker.refusing = False
        place.broker.thaw()
        if CHAOS and kind == "blocked":
            await place.servers.block_broker(False)
