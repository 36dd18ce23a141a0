"""accounts on a real socket with the demo banks, and a way to ask it things."""

import argparse
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from accounts import command_line
from accounts.rules import bank_files
from accounts.service import service
from accounts.store import banks
from chassis.service import Runtime
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from tests.support.keys import Signer
from tests.support.platform import Platform


@pytest.fixture(scope="session")
async def accounts(platform: Platform) -> Runtime:
    """The service, with the demo set of banks."""
    runtime = await platform.start("accounts")
    master = bank_files.Master()
    with command_line.DEMO.open(encoding="utf-8", newline="") as lines:
        assert list(bank_files.read(lines, master))[-1] == master.rows
    async with runtime.database.transaction() as tx:
        await banks.put_banks(tx, list(master.banks.values()))
        await banks.put_branches(tx, list(master.branches.values()))
    return runtime


class Gateway:
    """Asks the gateway as somebody."""

    def __init__(self, platform: Platform, runtime: Runtime, client: aiohttp.ClientSession) -> None:
        self._platform, self._runtime, self._client = platform, runtime, client

    async def __call__(
        self, caller: Caller | None, method: str, path: str, *, status: int = 200, json: Any = None, **query: Any
    ) -> Any:
        """One request; answers the JSON of the response, whose status must be `status`."""
        headers = {} if caller is None else self._platform.headers(caller)
        url = self._runtime.url + path
        async with self._client.request(method, url, headers=headers, json=json, params=query) as response:
            said = await response.json(content_type=None)
            assert response.status == status, said
            return said


@pytest.fixture
def ask(platform: Platform, accounts: Runtime, client: aiohttp.ClientSession) -> Gateway:
    """`await ask(caller, "GET", "/accounts")`."""
    return Gateway(platform, accounts, client)


@pytest.fixture
async def apart(cluster: Cluster, signer: Signer, tmp_path: Path) -> AsyncIterator[Platform]:
    """Virtual hosts and a database of this test's own, for processes and for what would disturb others."""
    needed = ("accounts", "applications", "audit")
    found = {name: import_module(f"{name}.service").service for name in needed}
    async with Platform(cluster, tmp_path, signer, of=found) as platform:
        yield platform


class Terminal:
    """`python -m accounts …` without the start of a process."""

    def __init__(self, platform: Platform, screen: pytest.CaptureFixture[str]) -> None:
        self._platform, self._screen = platform, screen

    async def __call__(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output and errors."""
        self._screen.readouterr()
        parser = argparse.ArgumentParser()
        run = service.commands[command](parser)
        with structlog.testing.capture_logs():  # what services in this process log meanwhile is not the command's
            status = await run(self._platform.settings("accounts"), parser.parse_args(arguments))
        return (status or 0, *self._screen.readouterr())


@pytest.fixture
def terminal(apart: Platform, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal."""
    return Terminal(apart, capsys)
