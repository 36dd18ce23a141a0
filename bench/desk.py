"""identity in a process of its own, with users who know their password: what its measurements stand on."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from argon2 import PasswordHasher

from deploy.local.cluster import test_cluster
from deploy.local.ports import choose
from tests.support import sealing
from tests.support.environments import as_environment
from tests.support.keys import Signer
from tests.support.platform import Platform

USERS = 30
PASSWORD = unicodedata.normalize("NFKC", "ひよこが三羽あるいた-4711")
OWASP = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
ENABLED, DISABLED, UNKNOWN = 500, 501, 600
"""The first digits of IDs of each kind."""


def user(number: int, kind: int = ENABLED) -> str:
    """The ID of an administrator of this kind."""
    return f"{kind}{number % USERS:06d}000"


def address(user_id: str) -> str:
    """The registered e-mail address."""
    return f"{user_id}@sample.com"


class Desk:
    """The service as front ends reach it, and its database behind it."""

    def __init__(self, url: str, client: aiohttp.ClientSession, database: Any) -> None:
        self.url, self.client, self.database = url, client, database

    async def log_in(self, user_id: str, password: str) -> tuple[int, Any]:
        """One login from an address of the user's own."""
        headers = {"X-Forwarded-For": f"10.{int(user_id[:3]) % 250}.{int(user_id[6:9])}.1"}
        given = {"user_id": user_id, "password": password}
        async with self.client.post(f"{self.url}/sessions", json=given, headers=headers) as answer:
            return answer.status, await answer.json()

    async def timed(self, ask: Callable[[], Awaitable[int]], status: int) -> float:
        """Seconds of one request that must have this status."""
        started = time.perf_counter()
        got = await ask()
        seconds = time.perf_counter() - started
        if got != status:
            raise SystemExit(f"expected {status}, got {got}")
        return seconds

    async def me(self, token: str) -> int:
        """An authenticated read."""
        async with self.client.get(f"{self.url}/me", headers={"Authorization": f"Bearer {token}"}) as answer:
            await answer.read()
            return answer.status

    async def live(self) -> int:
        """A request that asks nothing of anybody."""
        async with self.client.get(f"{self.url}/live") as answer:
            await answer.read()
            return answer.status

    async def reissue(self, user_id: str, email: str) -> int:
        """Ask for a new password."""
        given = {"user_id": user_id, "email": email}
        async with self.client.post(f"{self.url}/password-reissues", json=given) as answer:
            await answer.read()
            return answer.status

    async def token(self, user_id: str) -> str:
        """An access token of a fresh session."""
        _, session = await self.log_in(user_id, PASSWORD)
        headers = {"X-Session-Token": session["session_token"]}
        async with self.client.post(f"{self.url}/access-tokens", headers=headers) as answer:
            return str((await answer.json())["access_token"])


@asynccontextmanager
async def opened() -> AsyncIterator[Desk]:
    """Start everything; stop it at the end."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        everybody = aiohttp.TCPConnector(limit=0)  # aiohttp's own limit of 100 would make readers wait on our side
        async with (
            Signer().published() as signer,
            Platform(cluster, Path(folder), signer) as platform,
            aiohttp.ClientSession(connector=everybody) as client,
        ):
            port = choose(set())
            process = subprocess.Popen([sys.executable, "-m", "identity", "serve"], env=_environment(platform, port))
            database = await asyncpg.connect(platform.owner_database("identity"))
            try:
                await _populate(database)
                desk = Desk(f"http://127.0.0.1:{port}", client, database)
                await _ready(desk)
                yield desk
            finally:
                process.terminate()
                process.wait()
                await database.close()


def _environment(platform: Platform, port: int) -> dict[str, str]:
    """What identity is told."""
    limits = ("failures_per_source", "reissues_per_source", "failures_per_source_minute", "reissues_per_source_minute")
    settings = platform.settings(
        "identity", port=port, identity_keys_url=f"http://127.0.0.1:{port}/.well-known/jwks.json", log_level="WARNING",
        login_failures=100, **dict.fromkeys(limits, 1_000_000),
    )  # fmt: skip
    return os.environ | as_environment(settings)


async def _populate(database: Any) -> None:
    """Administrators whose password is PASSWORD, enabled and disabled; and the notifier's keys."""
    for key in sealing.published().keys:
        await database.execute(
            "insert into sealing_keys (key_id, purpose, public_key, use_from, use_until) values ($1, $2, $3, $4, $5)",
            key.key_id, key.purpose, sealing.PUBLIC, key.use_from, key.use_until,
        )  # fmt: skip
    for user_id, enabled in [(user(n, kind), kind == ENABLED) for n in range(USERS) for kind in (ENABLED, DISABLED)]:
        await database.execute(
            "insert into companies (policyholder_code, name, registered_at, terms_agreed, riders_issued_at)"
            " values ($1, '見本商事', now(), true, now())",
            user_id[:9],
        )
        await database.execute(
            "insert into users (user_id, policyholder_code, role, name, email, entry, contract_data,"
            " application_data, password_hash, enabled)"
            " values ($1, $2, 'administrator', '日本　太郎', $3, 'none', 'none', 'none', $4, $5)",
            user_id, user_id[:9], address(user_id), OWASP.hash(PASSWORD), enabled,
        )  # fmt: skip


async def _ready(desk: Desk) -> None:
    """Wait until identity is."""
    for _ in range(300):
        try:
            async with desk.client.get(f"{desk.url}/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise SystemExit("identity did not get ready")
