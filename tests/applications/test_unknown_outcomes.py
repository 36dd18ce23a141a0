"""A request whose answer was lost has happened with its event, or not at all; asking again settles it (R-4)."""

import asyncio
import random
from typing import Any

import aiohttp
import asyncpg
import pytest

from chassis.amqp.connection import reraise_if_cancelled
from contracts.applications import ApplicationSubmitted
from tests.applications.fronts import Front
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

ROUNDS = 6
DRAFTS = 10


async def cut_the_database(platform: Platform, times: int) -> None:
    """End every connection that any process of the service has, a few times at random moments."""
    server = await asyncpg.connect(platform.cluster.postgres_url)
    try:
        for _ in range(times):
            await asyncio.sleep(random.uniform(0.0, 0.03))
            await server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
                f"{platform.prefix}_applications",
            )
    finally:
        await server.close()


async def submit_impatiently(front: Front, draft: Any) -> int | None:
    """The status, or None when the answer was lost with the connection."""
    try:
        async with asyncio.timeout(random.choice([0.01, 0.02, 0.04, 20.0])):
            return (await front.submit(draft)).status
    except (TimeoutError, aiohttp.ClientError):
        return None
    except asyncio.CancelledError as error:  # the client's own timer may be the one that ends first
        reraise_if_cancelled(error)
        return None


@pytest.mark.requirement("P1")
async def test_state_and_event_are_there_together_or_not_at_all(platform: Platform, front: Any, code: str) -> None:
    async with platform.running("applications") as victim, platform.hears(ApplicationSubmitted) as spy:
        person = front(callers.administrator(code), victim.url)
        drafts = [await person.draft() for _ in range(ROUNDS * DRAFTS)]
        statuses: dict[str, int | None] = {}
        for start in range(0, len(drafts), DRAFTS):
            some = drafts[start : start + DRAFTS]
            cutting = asyncio.create_task(cut_the_database(platform, 2))
            found = await asyncio.gather(*(submit_impatiently(person, draft) for draft in some))
            await cutting
            statuses |= {draft["number"]: status for draft, status in zip(some, found, strict=True)}

        async def states() -> dict[str, str]:
            listed = await person.list(size=100)
            return {one["number"]: one["state"] for one in listed.body["items"]} if listed.status == 200 else {}

        state = await eventually(states)
        for number, status in statuses.items():
            assert status != 200 or state[number] == "submitted"
        for draft in drafts:

            async def settled(draft: Any = draft) -> bool:
                return bool((await person.submit(draft)).status == 200)

            await eventually(settled)
        expected = sorted(draft["number"] for draft in drafts)

        def said() -> list[str]:
            return sorted(one["data"]["number"] for one in spy.seen if one["data"]["number"] in statuses)

        async def all_said() -> bool:
            return len(said()) >= len(expected)

        await eventually(all_said)
        await asyncio.sleep(0.5)  # for what would come twice
        # An event may be published again after a cut, always under its own id.
        distinct = {one["id"]: one["data"]["number"] for one in spy.seen if one["data"]["number"] in statuses}
        assert sorted(distinct.values()) == expected
        assert None in statuses.values() or {status for status in statuses.values() if status != 200}
