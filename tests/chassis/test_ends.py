"""What is cancelled ends, at whatever moment it is, and leaves nothing behind on the servers."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator

import aio_pika
import pytest

from chassis.amqp.connection import persist
from chassis.amqp.relay import Relay
from chassis.revocations import Revocations
from chassis.settings import Settings
from chassis.sql import Database
from deploy.local.cluster import Cluster
from tests.support.keys import Signer
from tests.support.platform import Platform, services
from tests.support.scale import scaled


@pytest.fixture(scope="module")
async def apart(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform of one service, for processes that leave without a word: others would wait for them."""
    async with Platform(
        cluster, tmp_path_factory.mktemp("apart"), signer, of={"accounts": services()["accounts"]}
    ) as platform:
        yield platform


@pytest.fixture
def settings(apart: Platform) -> Settings:
    """Of the service."""
    return apart.settings("accounts")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The service's database."""
    database = await Database.connect(settings.database_url, source="accounts", size=4)
    yield database
    await database.close()


def relay(settings: Settings, database: Database) -> Relay:
    """Another process' relay."""
    return Relay(database, settings.database_url, {"": settings.broker_url})


async def test_work_at_the_broker_ends_whenever_it_is_cancelled_and_closes_what_it_opened(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(aio_pika.Connection, "__del__", lambda connection: closed.append(connection.is_closed))
    for number in range(scaled(40, 400)):
        access = persist("access", Revocations(f"ends-{number}", settings.broker_url).run)
        work = [asyncio.create_task(access), asyncio.create_task(relay(settings, database).run())]
        await asyncio.sleep(random.uniform(0, 0.02))
        for task in work:
            task.cancel()
        _, going_on = await asyncio.wait(work, timeout=10)
        for task in going_on:
            task.cancel()
        assert not going_on
    gc.collect()
    assert len(closed) > 10
    assert all(closed)


@pytest.mark.parametrize("swallowed", [True, False])
async def test_a_cancellation_counts_whatever_the_library_makes_of_it(swallowed: bool) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if not swallowed:
                raise ConnectionError("closed while it was opened") from None
        await asyncio.sleep(60)  # as if nothing had been, like after Python 3.11's wait_for

    task = asyncio.create_task(persist("broken", work))
    await begun.wait()
    task.cancel()
    _, going_on = await asyncio.wait({task}, timeout=5)
    task.cancel()
    assert not going_on


async def test_a_lost_connection_is_no_cancellation_even_after_a_failed_task_group() -> None:
    attempts, well = 0, asyncio.Event()

    async def fail() -> None:
        raise ConnectionError("closed")

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail())
        elif attempts == 2:
            raise asyncio.CancelledError  # aio-pika's word for a connection that was lost
        well.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(persist("unlucky", work))
    async with asyncio.timeout(10):
        await well.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
