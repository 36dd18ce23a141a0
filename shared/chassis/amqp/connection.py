"""A connection to the broker that is opened again, with a pause, whenever it is lost."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

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
    """A plain connection (not the library's robust one, whose recovery loses consumers silently).

    It is closed in every case: one that never came up would try to close itself when it is collected, at any time.
    """
    connection = aio_pika.Connection(URL(url).update_query(heartbeat=HEARTBEAT_SECONDS, name=purpose))
    try:
        async with asyncio.timeout(CONNECT_SECONDS):  # the library's own is wait_for: Python 3.11's loses cancellations
            await connection.connect()
        yield connection
    finally:
        try:
            async with asyncio.timeout(2):
                await connection.close()
        except (Exception, asyncio.CancelledError) as error:
            reraise_if_cancelled(error)


def reraise_if_cancelled(error: BaseException) -> None:
    """aio-pika raises CancelledError for a lost connection too; only a real cancellation may end a loop."""
    task = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0:
        raise error


async def persist(purpose: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` again and again until cancelled; each failure is logged and followed by a growing, random pause.

    Each attempt is a task of its own. A cancellation that a library swallows or turns into another error cannot be lost
    then, and what Python 3.11's task groups leave behind when they fail (their task counts as cancelled for ever) does
    not end the next attempt.
    """
    failures = 0
    while True:
        started = asyncio.get_running_loop().time()
        attempt = asyncio.create_task(work(), name=purpose)
        try:
            await asyncio.wait({attempt})
        finally:
            await _end(attempt)
        if attempt.cancelled() or attempt.exception():
            error = "CancelledError" if attempt.cancelled() else type(attempt.exception()).__name__
            failures = 0 if asyncio.get_running_loop().time() - started > 30 else failures + 1
            log.warning("connection_lost", purpose=purpose, error=error, failures=failures)
        await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 0.2 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


async def _end(attempt: asyncio.Task[None]) -> None:
    while not attempt.done():
        attempt.cancel()
        await asyncio.wait({attempt}, timeout=1)


async def until_closed(connection: AbstractConnection) -> None:
    """Returns when the connection is gone."""
    closed = asyncio.Event()
    connection.close_callbacks.add(lambda *_: closed.set())
    if connection.is_closed:
        return
    await closed.wait()
