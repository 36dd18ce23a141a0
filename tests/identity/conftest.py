"""Fixtures of identity's tests: the running service whose own tokens count, NEXI's word, and people who log in."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from chassis.service import Runtime
from chassis.sql import Database
from identity.keyring import Keyring
from tests.identity.people import People
from tests.support.platform import Platform


@pytest.fixture(scope="session")
async def identity(platform: Platform) -> Runtime:
    """The service, its published keys being trusted."""
    runtime = await platform.start("identity")
    await trust(platform, runtime)
    return runtime


@pytest.fixture(scope="session")
async def behind(platform: Platform) -> AsyncIterator[Database]:
    """identity's database with the owner's rights, for looking behind the curtain."""
    async with platform.owner("identity") as database:
        yield database


@pytest.fixture
async def people(
    platform: Platform, identity: Runtime, client: aiohttp.ClientSession, behind: Database
) -> AsyncIterator[People]:
    """Makes Web users the way they come to be, and lets them log in."""
    async with People(platform, identity, client, behind).listening() as people:
        yield people


async def trust(platform: Platform, runtime: Runtime) -> None:
    """Let the tokens of this identity count."""
    keyring = runtime.provides[Keyring]
    assert isinstance(keyring, Keyring)
    platform.signer.trust([key.public for key in await keyring.keys()])
