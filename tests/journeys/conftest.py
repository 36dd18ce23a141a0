"""The whole platform, as outsiders reach it."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.cluster import Cluster
from deploy.local.outsiders import Outside
from tests.support.keys import Signer
from tests.support.whole import whole_platform


@pytest.fixture(scope="session")
async def outside(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    """The whole platform from outside."""
    async with whole_platform(cluster, signer, tmp_path_factory.mktemp("journeys")) as (outside, _):
        yield outside
