"""Who has nothing to do rests: an idle platform asks its databases a few things a second, not thousands."""

import asyncio
from typing import Any

import asyncpg
import pytest

from deploy.local.outsiders import Outside

SECONDS = 3.0
MOST_A_SECOND = 60  # all clocks of a service together are below 15; a loop without a pause makes more than 500


async def commits(connection: Any) -> int:
    """How many transactions this service's database has seen."""
    return int(
        await connection.fetchval(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        )
    )


@pytest.mark.requirement("P10")
async def test_an_idle_service_leaves_its_database_alone(outside: Outside) -> None:
    await asyncio.sleep(1.5)  # what was done before is counted late
    for name, known in outside.known["services"].items():
        connection = await asyncpg.connect(known["environment"][f"{name.upper()}_DATABASE_URL"])
        try:
            before = await commits(connection)
            await asyncio.sleep(SECONDS)
            assert await commits(connection) - before < MOST_A_SECOND * SECONDS, name
        finally:
            await connection.close()
