"""Fixtures of the administrator's tests: a running identity and policyholders in it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from chassis.service import Runtime
from chassis.sql import Database
from tests.identity.administration.firms import Firm, open_firm
from tests.support.platform import Platform

OpenFirm = Callable[..., Awaitable[Firm]]


@pytest.fixture(scope="session")
async def identity(platform: Platform) -> Runtime:
    """The service."""
    return await platform.start("identity")


@pytest.fixture(scope="session")
async def behind(platform: Platform) -> AsyncIterator[Database]:
    """identity's database with the owner's rights, for looking behind the curtain."""
    async with platform.owner("identity") as database:
        yield database


@pytest.fixture
def open_a_firm(platform: Platform, identity: Runtime, client: aiohttp.ClientSession, behind: Database) -> OpenFirm:
    """Makes policyholders with given facts."""

    async def make(**facts: object) -> Firm:
        return await open_firm(platform, identity, client, behind, **facts)  # type: ignore[arg-type]

    return make


@pytest.fixture
async def firm(open_a_firm: OpenFirm) -> Firm:
    """A policyholder with 企業総合保険 and ten riders, without one-time passwords."""
    return await open_a_firm()
