"""The notifier on a real socket, with a real mail server, and a way to ask it for mails as identity does."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chassis.service import Runtime
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from notifier import tasks
from tests.notifier.relays import BadRelay, Decide, bad_relay, obedient
from tests.notifier.wishes import Wishes
from tests.support.keys import Signer
from tests.support.mailbox import Mailbox
from tests.support.platform import Platform, services


def told(mailbox_port: int, folder: Path) -> dict[str, Any]:
    """Settings for a mail server on this machine; it has so long to answer that no busy machine makes it late."""
    return {
        "smtp_port": mailbox_port,
        "smtp_security": "none",
        "smtp_seconds": 60,
        "spool": folder,
        "address_patience": timedelta(milliseconds=100),
    }


@pytest.fixture(scope="session", autouse=True)
def often() -> Iterator[None]:
    """What a notifier in this process does every ten seconds it does twice a second: no test waits for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "MEASURE_SECONDS", 0.5)
        patch.setattr(tasks, "LOOK_SECONDS", 0.5)
        yield


@pytest.fixture(scope="session")
async def notifier(platform: Platform, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """The service, sending to `mailbox`."""
    return await platform.start("notifier", **told(mailbox.port, tmp_path_factory.mktemp("letters")))


@pytest.fixture
def wishes(platform: Platform, notifier: Runtime) -> Wishes:
    """Asks for mails in the names of the other services."""
    return Wishes(platform, notifier)


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
            body = await response.text()
            assert response.status == status, body
            return await response.json(content_type=None) if body else None


@pytest.fixture
def ask(platform: Platform, notifier: Runtime, client: aiohttp.ClientSession) -> Gateway:
    """`await ask(caller, "GET", "/mails")`."""
    return Gateway(platform, notifier, client)


@pytest.fixture(scope="session")
async def apart(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Virtual hosts and databases for mail servers that misbehave and processes that die; nobody else sends there."""
    of = {name: service for name, service in services().items() if name in ("notifier", "identity", "applications")}
    async with Platform(cluster, tmp_path_factory.mktemp("apart"), signer, of=of) as platform:
        yield platform


@asynccontextmanager
async def sending_to(platform: Platform, port: int, **overrides: Any) -> AsyncIterator[Wishes]:
    """A notifier process that sends to this port of this machine; what it leaves unsent, the next one does not find."""
    try:
        async with platform.running("notifier", **(told(port, platform.folder / "letters") | overrides)) as runtime:
            yield Wishes(platform, runtime)
    finally:
        async with platform.owner("notifier") as database:
            await database.execute(
                "update mails set state = 'failed', reason = 'left over', due_at = null, sender = null"
                " where due_at is not null or state = 'sending'"
            )


@asynccontextmanager
async def against(
    platform: Platform, decide: Decide = obedient, *, pipelining: bool = True, **overrides: Any
) -> AsyncIterator[tuple[BadRelay, Wishes]]:
    """A mail server that does as `decide` says, and a notifier process that sends to it."""
    relays = bad_relay(decide, pipelining=pipelining)
    async with relays as relay, sending_to(platform, relay.port, **overrides) as wishes:
        yield relay, wishes
