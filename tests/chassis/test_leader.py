"""Of all processes one leads: as long as the connection that holds the lock, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from yarl import URL

from chassis import leader
from chassis.leader import leading
from chassis.sql import DATABASE_AWAY, Database
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.proxy import Proxy

pytestmark = pytest.mark.requirement("R-9")
END_HOLDERS = """
select pg_terminate_backend(pid) from pg_locks
 where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = $1)
   and (classid::bigint << 32 | objid::bigint) = $2
"""


class Office:
    """Where each contender is noted while it leads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inside: set[int] = set()
        self.terms = 0

    async def contend(self, contender: int, database: Database) -> None:
        """Lead whenever it can."""
        while True:
            try:
                async with leading(database, self.name):
                    self.terms += 1
                    self.inside.add(contender)
                    await asyncio.sleep(3600)
            except DATABASE_AWAY:
                await asyncio.sleep(0.1)
            finally:
                self.inside.discard(contender)


@pytest.fixture
async def databases(platform: Platform) -> AsyncIterator[list[Database]]:
    """Two processes' ways to one database."""
    found = [await Database.connect(platform.database("audit"), source="test", size=2) for _ in range(2)]
    yield found
    for one in found:
        await one.close()


async def test_a_leader_whose_connection_ended_leads_no_longer(
    platform: Platform, databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "TERM_SECONDS", 2.0)
    monkeypatch.setattr(leader, "RETRY_SECONDS", 0.1)
    office = Office("tests end")
    tasks = [asyncio.create_task(office.contend(number, one)) for number, one in enumerate(databases)]
    server = await asyncpg.connect(platform.cluster.postgres_url)

    async def led(terms: int) -> bool:
        return office.terms >= terms and len(office.inside) == 1

    try:
        await eventually(lambda: led(1))
        name = platform.database("audit").rpartition("/")[2]
        terms, key = office.terms, leader.zlib.crc32(office.name.encode())
        await eventually(lambda: server.fetch(END_HOLDERS, name, key))  # on a busy machine it may be just changing
        await eventually(lambda: led(terms + 1))
    finally:
        await server.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5)


async def test_a_lock_whose_answer_came_too_late_is_not_kept(platform: Platform, databases: list[Database]) -> None:
    server = URL(platform.database("audit"))
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Proxy(server.host or "", server.port or 0).serving())
        slow = await Database.connect(str(server.with_host("127.0.0.1").with_port(wire.port)), source="test", size=1)
        stack.push_async_callback(slow.close)
        await slow.fetchval("select pg_try_advisory_lock($1)", 1)  # prepared: the next time is one round trip
        wire.freeze()
        trying = asyncio.create_task(leading(slow, "tests late").__aenter__())
        await asyncio.wait({trying}, timeout=0.2)
        trying.cancel()
        wire.thaw()
        await asyncio.wait({trying}, timeout=5)
        async with asyncio.timeout(10), leading(databases[0], "tests late"):
            pass
