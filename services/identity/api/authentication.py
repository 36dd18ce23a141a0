"""Comparing a password with what is known: reserved before, settled after, alike for everybody (L1)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field

from chassis.http import Busy
from chassis.sql import Database, Tx
from identity.api.problems import PasswordLocked, WrongPassword
from identity.credentials import TEMPORARY
from identity.hashing import Hasher
from identity.rules.passwords import normalised
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import attempts, logins

PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.02
TIMES = 3

LONGEST = 1000
"""Characters of a password as typed; composed letters are fewer, and the rules judge those (L4)."""
PASSWORD_BODY_LIMIT = 16 * 1024
"""Bytes of JSON around one password: each character may be written as two escapes (\\ud83d\\udc0d)."""

T = TypeVar("T")

Password = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(normalised)]
"""A password in a request, read in the one way in which passwords are kept and compared."""


class Void(Exception):
    """What was compared has changed meanwhile; the transaction rolls back and the try is made again."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A password was compared with what is known of an ID. `epoch` settles the try; None: the ID is locked."""

    epoch: int | None
    known: Any
    own: bool
    temporary: bool
    lapsed: bool

    @property
    def right(self) -> bool:
        """Whether it opens: the own password or the living temporary one, of an enabled user who is not locked."""
        return self.epoch is not None and (self.own or self.temporary)


class Authentication:
    """The one place where passwords are compared."""

    def __init__(self, database: Database, settings: IdentitySettings, hasher: Hasher, secrets: Secrets) -> None:
        self._database = database
        self._settings = settings
        self.hasher = hasher
        self._secrets = secrets

    async def until_settled(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, which compares and settles, again when what it compared changed meanwhile. Raises Busy.

        To be called with a place in the queue (`hasher.admitted`).
        """
        for _ in range(TIMES):
            try:
                return await work()
            except Void:
                continue
        raise Busy

    async def compare(self, user_id: str, password: str) -> Compared:
        """One comparison, or none when locked; in the same time whoever it is. Raises Busy. Holds no connection."""
        known = await self._reserve(user_id)
        epoch = known["epoch"]
        counts = epoch is not None and known["enabled"] is True
        temporary = self._secrets.verifies(known["verifier"] or b"", TEMPORARY, user_id, password)
        own = await self.hasher.matches(known["password_hash"] if counts else None, password)
        alive = known["temporary_alive"] is True
        return Compared(epoch, known, own, counts and temporary and alive, temporary and not alive)

    async def fail(self, tx: Tx, user_id: str, compared: Compared) -> datetime | None:
        """Settle as wrong; the end of the lock that this began. Raises Void."""
        assert compared.epoch is not None
        settings = self._settings
        row = await attempts.fail(tx, user_id, compared.epoch, settings.login_failures, settings.lock_time)
        if row is None:
            raise Void
        until = row["locked_until"]
        assert until is None or isinstance(until, datetime)
        return until

    async def confirm(self, user_id: str, password: str) -> str:
        """The hash of the own password when `password` is it; a wrong one counts like a failed login.

        To be called inside `until_settled`. Raises WrongPassword, PasswordLocked, Busy, Void.
        """
        compared = await self.compare(user_id, password)
        if compared.epoch is None:
            raise PasswordLocked
        async with self._database.transaction() as tx:
            if compared.own:
                if not await attempts.succeed(tx, user_id, compared.epoch):
                    raise Void
                password_hash = compared.known["password_hash"]
                assert isinstance(password_hash, str)
                return password_hash
            locked = await self.fail(tx, user_id, compared)
        raise PasswordLocked if locked else WrongPassword

    async def _reserve(self, user_id: str) -> Any:
        """Wait for the right to compare: others' tries on this ID are under way. Without an `epoch` when locked."""
        clock = asyncio.get_running_loop()
        give_up = clock.time() + PATIENCE_SECONDS
        while True:
            known = await logins.reserved(self._database, user_id, self._settings.login_failures)
            if known["epoch"] is not None or await attempts.locked_until(self._database, user_id) is not None:
                return known
            if clock.time() > give_up:
                raise Busy
            await asyncio.sleep(PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 - spreads the tries, no secret
