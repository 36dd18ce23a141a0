"""The private PostgreSQL is nobody else's, runs without root, and keeps what was committed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.state import State


@pytest.fixture
def server(state: State) -> Iterator[Postgres]:
    server = Postgres(state, Ports(state, settings={}).port("postgres"))
    server.start()
    yield server
    server.stop()


async def ask(server: Postgres, query: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_runs_unprivileged_on_loopback_and_flushes_every_commit(server: Postgres) -> None:
    assert server.process
    process = psutil.Process(server.process.pid)
    assert process.uids().effective != 0
    assert {c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    assert [await ask(server, f"show {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]


async def test_its_data_survives_a_stop(server: Postgres) -> None:
    await ask(server, "create table kept as select '髙﨑𠮷' as name")
    server.stop()
    server.start()
    assert await ask(server, "select name from kept") == "髙﨑𠮷"


async def test_its_data_survives_a_kill(server: Postgres) -> None:
    await ask(server, "create table kept as select 1 as number")
    assert server.process
    server.process.stop(signal.SIGKILL)
    server.start()
    assert await ask(server, "select number from kept") == 1


async def test_it_does_not_start_beside_a_process_of_a_killed_server_that_could_still_write(server: Postgres) -> None:
    connection = await asyncpg.connect(server.url)
    survivor = await connection.fetchval("select pg_backend_pid()")
    os.kill(survivor, signal.SIGSTOP)
    assert server.process
    server.process.stop(signal.SIGKILL)
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    await asyncio.wait({starting}, timeout=2)
    assert not starting.done()
    os.kill(survivor, signal.SIGCONT)
    await starting
    connection.terminate()
    assert await ask(server, "select 1") == 1


async def test_a_wrong_password_is_refused(server: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url, password="guessed")


def test_data_and_passwords_are_readable_by_their_owners_alone(server: Postgres, state: State) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (server.data, state.folder / "secrets.json")}
    assert modes == {"postgres": 0o700, "secrets.json": 0o600}
    assert not Path(server.data / "password").exists()
