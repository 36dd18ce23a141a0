"""Who has nothing to do rests: an idle platform asks its databases a few things a second, not thousands."""

import asyncio
from typing import Any

import asyncpg
import pytest

from deploy.local.outsiders import Outside

SECONDS = 3.0
MOST_A_SECOND = 60  # all clocks of a service together are below 15; a loop without a pause makes more than 500
LOOKS = 5  # a connection that falls idle tells PostgreSQL of its last second's work 10 s later; who rests, rests then


async def commits(connection: Any) -> int:
    """How many transactions this service's database has seen."""
    return int(
        await connection.fetchval(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        )
    )


async def asked_of(outside: Outside, name: str) -> int:
    """How many transactions a service asks its database for meanwhile."""
    connection = await asyncpg.connect(outside.known["services"][name]["environment"][f"{name.upper()}_DATABASE_URL"])
    try:
        before = await commits(connection)
        await asyncio.sleep(SECONDS)
        return await commits(connection) - before
    finally:
        await connection.close()


@pytest.mark.requirement("P10")
async def test_an_idle_service_leaves_its_database_alone(outside: Outside) -> None:
    names = list(outside.known["services"])
    looks: list[dict[str, int]] = []
    while not looks or (max(looks[-1].values()) >= MOST_A_SECOND * SECONDS and len(looks) < LOOKS):
        looks.append(dict(zip(names, await asyncio.gather(*(asked_of(outside, name) for name in names)), strict=True)))
    assert max(looks[-1].values()) < MOST_A_SECOND * SECONDS, looks
