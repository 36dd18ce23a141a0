"""The service under test and the people who use it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from chassis.service import Runtime
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from tests.applications.everybody import Everybody, everybody
from tests.applications.fronts import Front
from tests.support import callers, unique
from tests.support.keys import Signer
from tests.support.platform import Platform


@pytest.fixture(scope="session")
async def running(platform: Platform) -> Runtime:
    """The applications service, alone on its platform."""
    return await platform.start("applications", answer_seconds=15.0)


@pytest.fixture
def front(running: Runtime, platform: Platform, client: aiohttp.ClientSession) -> Any:
    """Front ends of callers: `front(caller)`."""

    def of(caller: Caller, url: str = running.url) -> Front:
        return Front(client, url, platform.headers(caller), caller)

    return of


@pytest.fixture
def code() -> str:
    """A policyholder of this test alone."""
    return unique.policyholder_code()


@pytest.fixture
def administrator(front: Any, code: str) -> Front:
    """The front end of the policyholder's administrator."""
    made: Front = front(callers.administrator(code))
    return made


@pytest.fixture(scope="session")
async def platform(
    cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """A platform of its own on which nobody but applications runs, because the tests speak for accounts."""
    async with Platform(cluster, tmp_path_factory.mktemp("applications"), signer) as platform:
        yield platform


@pytest.fixture(scope="session")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everybody]:
    """All who hear of an application, on a platform of their own."""
    async with everybody(cluster, signer, tmp_path_factory.mktemp("everybody")) as found:
        yield found


@pytest.fixture
async def urls(house: Everybody) -> AsyncIterator[list[str]]:
    """Two processes of applications in that house."""
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(house.platform.running("applications"))).url for _ in range(2)]
