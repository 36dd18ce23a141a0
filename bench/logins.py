"""Password logins against the machine's Argon2 limit, others' wait meanwhile (P3); what time tells of an ID (G-1)."""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
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
from tests.support.keys import Signer
from tests.support.platform import Platform

USERS = 40
PASSWORD = unicodedata.normalize("NFKC", "ひよこが三羽あるいた-4711")
WRONG = "wrong wrong wrong"
OWASP = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def burn(times: int) -> None:
    """Check a password on one core."""
    known = OWASP.hash(PASSWORD)
    for _ in range(times):
        OWASP.verify(known, PASSWORD)


def limit(times: int = 60) -> float:
    """Checks a second with every core busy: nothing can log in faster."""
    cores = os.cpu_count() or 1
    processes = [multiprocessing.get_context("spawn").Process(target=burn, args=(times,)) for _ in range(cores)]
    started = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return cores * times / (time.perf_counter() - started)


class Desk:
    """identity in a process of its own, with users who know their password."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.url, self.client = url, client

    async def log_in(self, user_id: str, password: str) -> tuple[int, Any]:
        """One login from an address of the user's own."""
        headers = {"X-Forwarded-For": f"10.{user_id[3:6].lstrip('0') or 0}.{int(user_id[6:9]) % 250}.1"}
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
    with test_cluster() as cluster:
        everybody = aiohttp.TCPConnector(limit=0)  # aiohttp's own limit of 100 would make readers wait on our side
        async with Signer().published() as signer, aiohttp.ClientSession(connector=everybody) as client:
            platform = Platform(cluster, Path(tempfile.mkdtemp()), signer)
            await platform.prepare()
            port = choose(set())
            process = subprocess.Popen([sys.executable, "-m", "identity", "serve"], env=environment(platform, port))
            try:
                await populate(platform.owner_database("identity"))
                desk = Desk(f"http://127.0.0.1:{port}", client)
                await ready(desk)
                yield desk
            finally:
                process.terminate()
                process.wait()
                await platform.close()


def environment(platform: Platform, port: int) -> dict[str, str]:
    """What identity is told."""
    settings = platform.settings("identity")
    given = {
        "PORT": port, "DATABASE_URL": settings.database_url, "BROKER_URL": settings.broker_url,
        "PARTNER_BROKER_URL": settings.partner_broker_url, "STATE": settings.state, "LOG_LEVEL": "WARNING",
        "IDENTITY_KEYS_URL": f"http://127.0.0.1:{port}/.well-known/jwks.json",
        "LOGIN_FAILURES": 100, "FAILURES_PER_SOURCE": 100_000, "FAILURES_PER_SOURCE_MINUTE": 100_000,
    }  # fmt: skip
    return {**os.environ, **{f"IDENTITY_{name}": str(value) for name, value in given.items()}}


async def populate(dsn: str) -> None:
    """Users whose password is PASSWORD; the last of them disabled."""
    connection = await asyncpg.connect(dsn)
    for number in range(USERS):
        code = f"500{number:06d}"
        await connection.execute(
            "insert into companies (policyholder_code, name, registered_at, terms_agreed, riders_issued_at)"
            " values ($1, '見本商事', now(), true, now())",
            code,
        )
        await connection.execute(
            "insert into users (user_id, policyholder_code, role, name, email, entry, contract_data,"
            " application_data, password_hash, enabled)"
            " values ($1, $2, 'administrator', '日本　太郎', 'a@sample.com', 'none', 'none', 'none', $3, $4)",
            f"{code}000", code, OWASP.hash(PASSWORD), number < USERS - 10,
        )  # fmt: skip
    await connection.close()


async def ready(desk: Desk) -> None:
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


def user(number: int) -> str:
    """An enabled user."""
    return f"500{number % (USERS - 10):06d}000"


async def rate(desk: Desk, logins: int) -> float:
    """Logins a second with four at a time."""
    numbers = iter(range(logins))

    async def worker() -> None:
        for number in numbers:
            if (await desk.log_in(user(number), PASSWORD))[0] != 201:
                raise SystemExit("a login failed")

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(4)))
    return logins / (time.perf_counter() - started)


async def flooded(desk: Desk, token: str, reads: int) -> list[float]:
    """Seconds of reads while ten times as many log in as can."""
    over = asyncio.Event()

    async def flood(number: int) -> None:
        while not over.is_set():
            if (await desk.log_in(user(number), PASSWORD))[0] == 503:
                await asyncio.sleep(0.5)

    floods = [asyncio.create_task(flood(number)) for number in range(300)]
    await asyncio.sleep(2)
    seconds = [await desk.timed(lambda: desk.me(token), 200) for _ in range(reads)]
    over.set()
    await asyncio.gather(*floods)
    return seconds


async def told_by_time(desk: Desk, rounds: int) -> dict[str, float]:
    """Median seconds of a refusal by kind of ID, in shuffled turns."""
    seconds: dict[str, list[float]] = {"known": [], "unknown": [], "disabled": []}
    for number in range(rounds):
        kinds = [
            ("known", user(number)),
            ("unknown", f"600{number % 30:06d}000"),
            ("disabled", f"500{USERS - 1 - number % 10:06d}000"),
        ]
        random.shuffle(kinds)
        for kind, user_id in kinds:

            async def ask(user_id: str = user_id) -> int:
                return (await desk.log_in(user_id, WRONG))[0]

            seconds[kind].append(await desk.timed(ask, 401))
    return {kind: statistics.median(values) for kind, values in seconds.items()}


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return sorted(values)[int(len(values) * 0.99)]


async def measure(rounds: int) -> None:
    """Print every figure beside its limit."""
    async with opened() as desk:
        await rate(desk, 20)
        ratios = []
        for _ in range(rounds):
            most = await asyncio.to_thread(limit)
            ours = await rate(desk, 200)
            ratios.append(ours / most)
            print(f"Argon2 limit {most:6.1f}/s   logins {ours:6.1f}/s   ratio {ours / most:.2f}")
        print(f"P3: {statistics.median(ratios):.2f} of the limit (goal 0.85)")
        token = await desk.token(user(0))
        idle = [await desk.timed(lambda: desk.me(token), 200) for _ in range(500)]
        busy = await flooded(desk, token, 500)
        times = p99(busy) / p99(idle)
        print(f"P3: other routes' p99 {p99(idle) * 1000:.1f} ms idle, {p99(busy) * 1000:.1f} ms at ten times overload")
        print(f"    {times:.1f} times (goal 5)")
        medians = await told_by_time(desk, rounds * 200)
        spread = (max(medians.values()) - min(medians.values())) / min(medians.values())
        shown = ", ".join(f"{kind} {seconds * 1000:.2f} ms" for kind, seconds in medians.items())
        print(f"G-1: {shown}: {spread * 100:.1f} % apart (bar 2 %)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(measure(parser.parse_args().rounds))
