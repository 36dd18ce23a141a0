"""A connection to the broker that is opened again, with a pause, whenever it is lost."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from yarl import URL

log = structlog.get_logger()

HEARTBEAT_SECONDS = 10  # a dead peer is noticed within about 30 s; below 5 s RabbitMQ reports false alarms
CONNECT_SECONDS = 10
LONGEST_PAUSE_SECONDS = 5.0


@asynccontextmanager
async def connected(url: str, purpose: str) -> AsyncIterator[AbstractConnection]:
    """A plain connection (not the library's robust one, whose recovery loses consumers silently)."""
    address = URL(url).update_query(heartbeat=HEARTBEAT_SECONDS, name=purpose)
    async with asyncio.timeout(CONNECT_SECONDS):  # aio-pika's own is wait_for, which in Python 3.11 loses cancellations
        connection = await aio_pika.connect(address)
    try:
        yield connection
    finally:
        try:
            async with asyncio.timeout(2):
                await connection.close()
        except (Exception, asyncio.CancelledError) as error:
            reraise_if_cancelled(error)


def reraise_if_cancelled(error: BaseException) -> None:
    """Only a real cancellation may end a loop, and it must: aio-pika raises CancelledError for a lost connection too,
    and another error when it was cancelled in the middle of opening one."""
    task = asyncio.current_task()
    if task is not None and task.cancelling() > 0:
        raise error if isinstance(error, asyncio.CancelledError) else asyncio.CancelledError from error


async def persist(purpose: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` again and again until cancelled; each failure is logged and followed by a growing, random pause."""
    failures = 0
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await work()
        except (Exception, asyncio.CancelledError) as error:
            reraise_if_cancelled(error)
            failures = 0 if asyncio.get_running_loop().time() - started > 30 else failures + 1
            log.warning("connection_lost", purpose=purpose, error=type(error).__name__, failures=failures)
        await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 0.2 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


async def until_closed(connection: AbstractConnection) -> None:
    """Returns when the connection is gone."""
    closed = asyncio.Event()
    connection.close_callbacks.add(lambda *_: closed.set())
    if connection.is_closed:
        return
    await closed.wait()
