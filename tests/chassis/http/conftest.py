"""The sample gateway on a real socket and a real PostgreSQL."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from chassis.sql import Database
from deploy.local.cluster import Cluster
from tests.chassis.http import sample
from tests.chassis.http.sample import Sample
from tests.chassis.http.shapes import TABLES


@pytest.fixture(scope="package")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """A fresh database with the sample's tables."""
    url = await cluster.create_database("http")
    database = await Database.connect(url, source="sample", size=4)
    await database.execute(TABLES)
    try:
        yield database
    finally:
        await database.close()
        await cluster.drop_database(url)


@pytest.fixture(scope="package")
async def gateway(database: Database) -> AsyncIterator[Sample]:
    """The sample, served."""
    async with sample.running(database) as running:
        yield running


@pytest.fixture(scope="package")
async def http(gateway: Sample) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who knows the gateway's address."""
    async with aiohttp.ClientSession(gateway.url) as session:
        yield session
