"""Fixtures of the administrator's tests: policyholders in the running identity."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from chassis.service import Runtime
from chassis.sql import Database
from tests.identity.administration.firms import Firm, open_firm
from tests.support.platform import Platform

OpenFirm = Callable[..., Awaitable[Firm]]


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
