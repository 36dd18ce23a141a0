"""Connections come back, whatever happens to who held them: cancelled, failed, killed or forgetful."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
from yarl import URL

from chassis.sql import DATABASE_AWAY, Busy, Database
from chassis.sql.database import SESSION
from chassis.sql.leases import _usable
from deploy.local.cluster import Cluster
from tests.support.eventually import eventually
from tests.support.proxy import Proxy
from tests.support.scale import scaled

SIZE = 4


@pytest.fixture(scope="module")
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """An empty database."""
    url = await cluster.create_database("leases")
    yield url
    await cluster.drop_database(url)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """At most four connections."""
    database = await Database.connect(url, source="leases", size=SIZE)
    yield database
    await database.close()


async def all_at_once(database: Database) -> set[int]:
    """The backends of all connections, taken together; fails when one was lost."""
    held = [database.acquire(timeout=10.0) for _ in range(SIZE)]
    backends = {await (await one.__aenter__()).fetchval("select pg_backend_pid()") for one in held}
    with pytest.raises(Busy):
        await database.acquire(timeout=0.05).__aenter__()
    for one in held:
        await one.__aexit__(None, None, None)
    assert len(backends) == SIZE
    return backends


async def test_a_storm_of_cancellations_loses_no_connection(database: Database) -> None:
    chance = random.Random(7)

    async def work() -> None:
        async with database.transaction() as tx:
            await tx.fetchval("select pg_sleep($1::float8)", chance.random() / 200)

    async def statement() -> None:
        await database.fetchval("select pg_sleep($1::float8)", chance.random() / 500)

    tasks = []
    for _ in range(3000):
        tasks.append(asyncio.create_task(chance.choice((work, statement))()))
        if len(tasks) > 30:
            tasks.pop(chance.randrange(len(tasks))).cancel()
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() / 500)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await all_at_once(database)


async def test_whoever_waits_gets_the_first_connection_that_comes_back(database: Database) -> None:
    await all_at_once(database)
    order: list[int] = []

    async def queue(number: int) -> None:
        async with database.acquire():
            order.append(number)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(queue(number) for number in range(20)))
    assert order == list(range(20))


async def test_a_connection_that_was_killed_is_replaced(database: Database) -> None:
    backends = await all_at_once(database)
    killed = 0
    for backend in list(backends)[1:]:
        killed += await database.execute("select pg_terminate_backend($1) where $1 <> pg_backend_pid()", backend)

    async def noticed() -> bool:
        return sum(_usable(connection) for connection, _ in database._leases._ready) == SIZE - killed

    await eventually(noticed)
    assert await all_at_once(database) != backends


async def test_work_that_failed_leaves_nothing_behind_for_the_next(database: Database) -> None:
    for _ in range(SIZE * 2):
        with pytest.raises(asyncpg.PostgresError):
            async with database.transaction() as tx:
                await tx.execute("create temporary table left_over (a int) on commit drop")
                await tx.execute("no such statement")
    await all_at_once(database)
    assert await database.fetchval("select to_regclass('left_over') is null")


async def test_a_transaction_that_was_left_open_is_ended(database: Database) -> None:
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    try:
        async with database.acquire() as connection:
            await connection.execute("begin")
    finally:
        loop.set_exception_handler(None)
    assert "active transaction" in str(complaints)
    assert (
        await database.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
        )
        == 0
    )


@pytest.mark.requirement("R-9")
async def test_what_a_transaction_holds_is_free_again_when_its_process_has_vanished(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies with its machine, so that no word of it reaches the server; or it stands still, and learns it later."""
    monkeypatch.setitem(SESSION, "idle_in_transaction_session_timeout", "300ms")
    server = URL(url)
    assert server.host and server.port
    await database.execute("create table held (number int primary key)")
    async with Proxy(server.host, server.port).serving() as wire:
        other = await Database.connect(str(server.with_host("127.0.0.1").with_port(wire.port)), source="o", size=1)
        with pytest.raises(DATABASE_AWAY):
            async with other.transaction() as tx:
                await tx.execute("insert into held values (1)")
                wire.mute()
                assert await database.execute("insert into held values (1)") == 1
                raise TimeoutError  # what its machine would notice, if it were still there
        with pytest.raises(DATABASE_AWAY):
            async with other.transaction() as tx:
                await tx.execute("insert into held values (2)")
                assert await database.execute("insert into held values (2)") == 1
                await tx.execute("insert into held values (3)")
        assert await other.fetchval("select max(number) from held") == 2
        await other.close()


async def test_a_busy_pool_says_so_and_recovers(database: Database) -> None:
    held = [database.acquire(timeout=10.0) for _ in range(SIZE)]
    for one in held:
        await one.__aenter__()
    with pytest.raises(Busy):
        async with database.acquire(timeout=0.1):
            pass
    waiting = asyncio.create_task(database.fetchval("select 1"))
    await asyncio.sleep(0.05)
    for one in held:
        await one.__aexit__(None, None, None)
    assert await waiting == 1


@pytest.mark.chaos
@pytest.mark.requirement("R-9")
async def test_whatever_a_connection_says_that_is_ended_counts_as_an_absent_database(
    database: Database, cluster: Cluster
) -> None:
    """Also in the moment in which it knows already, but has not said so: asyncpg calls that an internal error."""
    odd: list[str] = []
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            try:
                async with database.transaction() as tx:
                    await tx.fetchval("select 1")
            except DATABASE_AWAY:
                await asyncio.sleep(0)
            except Exception as error:
                odd.append(repr(error))

    working = [asyncio.create_task(work()) for _ in range(SIZE * 2)]
    killer = await asyncpg.connect(cluster.postgres_url)
    for _ in range(scaled(150, 5000)):
        await killer.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'leases'")
        await asyncio.sleep(0.004)
    over.set()
    await asyncio.gather(*working)
    await killer.close()
    assert odd == []
    assert await database.fetchval("select 1") == 1
