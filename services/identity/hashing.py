"""Password hashing that keeps everybody else fast: few threads, a bounded queue, no connection held meanwhile."""

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter, Gauge

from chassis.http import Busy
from identity.settings import IdentitySettings

T = TypeVar("T")

TURNS_PER_THREAD = 3
"""One is hashed while others ask the database; more at once would only crowd other routes out of its connections."""

NICENESS = 10
"""Of a hashing thread, whose work takes all it can get for tens of milliseconds; the others' takes one."""

COMPARISONS = Counter("password_comparisons", "Passwords compared with the hash of a user")
WAITING = Gauge("password_checks_waiting", "Password checks admitted and not yet done")


class Hasher:
    """Argon2id. `admitted` is the door: who does not get in is answered 503 before anything was spent on them."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._argon2 = PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory,
            parallelism=settings.argon2_parallelism,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(settings.hashing_threads, "hashing", initializer=_step_back)
        self._most = settings.hashing_threads + settings.hashing_queue
        self._turns = asyncio.Semaphore(TURNS_PER_THREAD * settings.hashing_threads)
        self._admitted = 0
        self._nobody = self._argon2.hash(secrets.token_urlsafe(32))
        self.comparisons = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """A place in the queue, then a turn; who waits costs nothing but memory. Raises Busy when the queue is full."""
        if self._admitted >= self._most:
            raise Busy
        self._admitted += 1
        WAITING.set(self._admitted)
        try:
            async with self._turns:
                yield
        finally:
            self._admitted -= 1
            WAITING.set(self._admitted)

    async def hash(self, password: str) -> str:
        """The hash of a new password."""
        return await self._run(lambda: self._argon2.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; without a hash it takes as long and answers False."""
        if password_hash is not None:
            self.comparisons += 1
            COMPARISONS.inc()
        matched = await self._run(lambda: self._verify(password_hash or self._nobody, password))
        return matched and password_hash is not None

    def outgrown(self, password_hash: str) -> bool:
        """Whether the parameters have risen since."""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Give up what has not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _step_back() -> None:
    """Let the loop that answers everybody else, and the database beside it, have the processor first."""
    with suppress(OSError):  # a thread has a priority of its own on Linux only
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
