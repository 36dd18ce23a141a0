"""Connections kept ready between requests, so that a small statement costs no trip through asyncpg's pool."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Any

import asyncpg

RELEASE_SECONDS = 1.0
KEPT_SECONDS = 300.0


class Busy(Exception):
    """No connection became free in time; the caller should try again shortly."""


class Leases:
    """The pool's connections, the last used first. What failed goes through the pool, which cleans or ends it.

    Going through the pool for every statement costs about as much as the statement (a task, two timers, a proxy).
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._free = pool.get_max_size()
        self._ready: deque[tuple[Any, float]] = deque()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._now = asyncio.get_running_loop().time

    def lease(self, seconds: float) -> "Lease":
        """A connection for the length of a block. Raises Busy when none is free within `seconds`."""
        return Lease(self, seconds)

    async def take(self, seconds: float) -> Any:
        """A connection, which the caller must give back."""
        while self._ready:
            connection, _ = self._ready.pop()
            if _usable(connection):
                return connection
            await self._drop(connection)
        try:
            async with asyncio.timeout(seconds):
                while not self._free:
                    if (connection := await self._wait()) is not None:
                        return connection
                return await self._open()
        except TimeoutError:
            raise Busy from None

    async def give(self, connection: Any, failed: bool) -> None:
        """Back: to whoever waits, else to be ready for the next; to the pool when its work did not end well."""
        if failed or not _usable(connection):
            await self._drop(connection)
            return
        if not self._hand_over(connection):
            now = self._now()
            self._ready.append((connection, now))
            if self._ready[0][1] < now - KEPT_SECONDS:
                await self._drop(self._ready.popleft()[0])

    async def close(self) -> None:
        """Leave all that is ready to the pool, which can then be closed."""
        while self._ready:
            await self._drop(self._ready.pop()[0])

    async def _drop(self, connection: Any) -> None:
        try:
            await self._pool.release(connection, timeout=RELEASE_SECONDS)
        finally:
            self._free += 1
            self._hand_over(None)

    def _hand_over(self, connection: Any) -> bool:
        """Give the first who waits a connection, or with None the room for a new one."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    async def _wait(self) -> Any:
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # handed over in the very moment of giving up
                if (connection := waiter.result()) is None:
                    self._hand_over(None)
                else:
                    await self.give(connection, failed=False)
            raise

    async def _open(self) -> Any:
        self._free -= 1
        try:
            return await self._pool.acquire()
        except BaseException:
            self._free += 1
            self._hand_over(None)
            raise


def _usable(connection: Any) -> bool:
    try:
        return not connection.is_closed() and not connection.is_in_transaction()
    except asyncpg.InterfaceError:  # it ended while nobody used it, and asyncpg's pool has already taken it back
        return False


class Lease:
    """`async with leases.lease(2) as connection`."""

    __slots__ = ("_connection", "_leases", "_seconds")

    def __init__(self, leases: Leases, seconds: float) -> None:
        self._leases, self._seconds = leases, seconds

    async def __aenter__(self) -> Any:
        self._connection = await self._leases.take(self._seconds)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leases.give(self._connection, failed=kind is not None)
