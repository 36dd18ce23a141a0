"""Each service has a database that no other role can enter, and a runtime role that can create nothing."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.local.cluster import Cluster
from deploy.local.databases import DatabaseUrls, with_database


@pytest.fixture
async def prefix(cluster: Cluster) -> AsyncIterator[str]:
    prefix = f"trial_{secrets.token_hex(4)}_"
    yield prefix
    for service in ("one", "two"):
        await cluster.drop_database(prefix + service)


async def execute(url: str, query: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


async def test_the_owner_makes_tables_and_the_service_uses_what_it_was_granted(cluster: Cluster, prefix: str) -> None:
    one = await cluster.prepare_database("one", prefix)
    await execute(one.owner, f'create table rows (number int); grant select on rows to "{prefix}one"')
    await execute(one.runtime, "select from rows")
    for forbidden in ("create table own (number int)", "insert into rows values (1)", "drop table rows"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(one.runtime, forbidden)


async def test_no_service_enters_the_database_of_another(cluster: Cluster, prefix: str) -> None:
    one, two = [await cluster.prepare_database(name, prefix) for name in ("one", "two")]
    for url in (one.runtime, one.owner):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(with_database(url, prefix + "two"), "select 1")
    await execute(two.runtime, "select 1")


async def test_preparing_twice_keeps_the_data_and_renews_the_passwords(cluster: Cluster, prefix: str) -> None:
    first: DatabaseUrls = await cluster.prepare_database("one", prefix)
    await execute(first.owner, "create table kept (number int)")
    second = await cluster.prepare_database("one", prefix)
    await execute(second.owner, "select from kept")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await execute(first.owner, "select 1")
