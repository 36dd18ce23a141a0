"""Fixtures on real servers: PostgreSQL, RabbitMQ and SMTP; each test uses a policyholder of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import hypothesis
import pytest

from deploy.local.cluster import Cluster, test_cluster
from tests.support.keys import Signer
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.platform import Platform
from tests.support.scale import CHAOS

# No deadlines: a busy machine is no defect. `make test` says the same of the same code every time; chaos looks around.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    database=None,
    derandomize=not CHAOS,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["tests.support.table"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The shared PostgreSQL and RabbitMQ of all tests."""
    with test_cluster() as running:
        yield running


@pytest.fixture(scope="session")
async def signer() -> AsyncIterator[Signer]:
    """Published keys and the means to sign tokens with them."""
    async with Signer().published() as signer:
        yield signer


@pytest.fixture(scope="session")
async def platform(
    cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """This worker's platform."""
    folder: Path = tmp_path_factory.mktemp("platform")
    async with Platform(cluster, folder, signer) as platform:
        yield platform


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A front end's HTTP client."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server with what it received."""
    with open_mailbox() as mailbox:
        yield mailbox
