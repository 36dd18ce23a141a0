"""What tests of faults share: a platform with the victim alone."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.cluster import Cluster
from tests.faults.victim import victims_platform
from tests.support.keys import Signer
from tests.support.platform import Platform


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with the victim alone."""
    async with victims_platform(cluster, signer, tmp_path_factory.mktemp("victim")) as platform:
        yield platform
