"""A whole platform starts, survives the kill of its launcher with its data, and stops without a trace."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local import processes
from deploy.local.ports import free
from deploy.local.state import ROOT, State
from deploy.local.workers import answers

SERVICE = "identity"


class Run:
    """`python -m deploy.local run` in a state of the test's own, as a person would start it."""

    def __init__(self, state: State) -> None:
        self.state = state
        if not (state.folder / "tools").exists():
            (state.folder / "tools").symlink_to(state.tools)
        self.output = state.folder / "terminal"
        with self.output.open("w") as terminal:
            self.launcher = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "run", "--only", SERVICE, "--processes", f"{SERVICE}=2"],
                cwd=ROOT,
                env={**os.environ, "PLATFORM_STATE": str(state.folder)},
                stdout=terminal,
                stderr=subprocess.STDOUT,
            )

    def described(self) -> dict[str, Any]:
        """platform.json, once everything is ready."""
        limit = time.monotonic() + 90
        path = self.state.folder / "platform.json"
        while not path.exists() or json.loads(path.read_text())["supervisor"]["pid"] != self.launcher.pid:
            assert self.launcher.poll() is None, self.output.read_text()
            assert time.monotonic() < limit, self.output.read_text()
            time.sleep(0.1)
        assert path.stat().st_mode & 0o777 == 0o600
        return dict(json.loads(path.read_text()))

    def end(self, number: signal.Signals) -> int:
        """Signal the launcher and wait for it."""
        self.launcher.send_signal(number)
        return self.launcher.wait(timeout=60)


@pytest.fixture
def runs(state: State) -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        if run.launcher.poll() is None:
            run.end(signal.SIGKILL)


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_platform_starts_survives_the_kill_of_its_launcher_and_stops(state: State, runs: list[Run]) -> None:
    runs.append(Run(state))
    first = await asyncio.to_thread(runs[-1].described)
    assert all(answers(f"{url}/ready") for url in first["services"][SERVICE]["urls"])
    assert len(first["services"][SERVICE]["urls"]) == 2
    await ask(first["postgres_url"], "create table kept as select 1 as number")
    assert runs[-1].end(signal.SIGKILL) == -signal.SIGKILL
    assert set(processes.left_behind(state)) >= {"postgres", "rabbitmq", "epmd", SERVICE, f"{SERVICE}-2", "mailcatcher"}

    runs.append(Run(state))
    second = await asyncio.to_thread(runs[-1].described)
    assert "ending what a killed run left" in runs[-1].output.read_text()
    assert {**second, "supervisor": None} == {**first, "supervisor": None}, "ports and passwords are remembered"
    assert await ask(second["postgres_url"], "select number from kept") == 1

    assert await asyncio.to_thread(runs[-1].end, signal.SIGINT) == 0
    assert processes.left_behind(state) == {}
    assert all(free(port) for port in json.loads((state.folder / "ports.json").read_text()).values())
    journal = Path(second["log"]).read_text()
    assert all(f"\n{name} " in journal for name in ("postgres", "rabbitmq", SERVICE, "launcher"))
    assert_emptied(state)


def assert_emptied(state: State) -> None:
    """`reset` leaves ports and tools, and no data and no password."""
    settings = {**os.environ, "PLATFORM_STATE": str(state.folder)}
    subprocess.run([sys.executable, "-m", "deploy.local", "reset"], cwd=ROOT, env=settings, check=True, timeout=60)
    left = {path.name for path in state.folder.iterdir()}
    assert left <= {"lock", "ports.json", "tools", "terminal", "logs", "pids"}
