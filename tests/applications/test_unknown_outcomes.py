"""A request whose answer was lost has happened with its event, or not at all; asking again settles it (R-4)."""

import asyncio
import random
from collections import Counter
from typing import Any

import aiohttp
import asyncpg
import pytest

from chassis.amqp.connection import reraise_if_cancelled
from contracts.applications import ApplicationSubmitted
from tests.applications.everybody import Everybody
from tests.applications.fronts import Front
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.ports import free_port
from tests.support.processes import serving
from tests.support.scale import scaled
from tests.support.unique import word

ROUNDS = scaled(6, 60)
DRAFTS = 10
KILLS = scaled(3, 100)
PEOPLE = 6
pytestmark = pytest.mark.chaos


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


@pytest.mark.requirement("P1", "R-4")
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
            rows = await owner.fetch("select number, state from applications where number = any($1)", list(statuses))
            return {row["number"]: row["state"] for row in rows}

        async with platform.owner("applications") as owner:
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


async def apply(front: Front, outcomes: dict[str, str], stop: asyncio.Event) -> None:
    """Confirm until it is known, then submit once and write down what is known of it; again and again."""
    while not stop.is_set():
        key, draft = word("key"), None
        while draft is None and not stop.is_set():
            try:
                reply = await front.confirm("buyer_registration", {"buyer": "ABC"}, key=key)
                draft = reply.body if reply.status == 201 else None
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        if draft is not None:
            outcomes[draft["number"]] = "unknown"
            try:
                status = (await front.submit(draft)).status
            except aiohttp.ClientError:
                continue
            if status < 500:
                outcomes[draft["number"]] = "ok" if status == 200 else "fail"


@pytest.mark.requirement("R-4", "R-6", "P1", "P5")
async def test_after_kills_state_record_and_receipt_of_every_submission_agree(
    house: Everybody, client: aiohttp.ClientSession
) -> None:
    chance, stop, port = random.Random(20260402), asyncio.Event(), free_port()
    outcomes: dict[str, str] = {}
    (front,) = house.fronts(client, [f"http://127.0.0.1:{port}"], await house.administrator())
    crowd = asyncio.gather(*(apply(front, outcomes, stop) for _ in range(PEOPLE)))
    told = {"port": port, "most_numbers_a_day": 99_999}
    for _ in range(KILLS):
        async with serving(house.platform, "applications", **told) as process:
            enough = len(outcomes) + chance.randrange(4, 40)

            async def busy(enough: int = enough) -> bool:
                return len(outcomes) >= enough

            await eventually(busy, 60)
            await asyncio.sleep(chance.uniform(0.0, 0.02))
            process.child.kill()
    async with serving(house.platform, "applications", **told):
        stop.set()
        await crowd

        async def serves() -> bool:
            return (await front.list()).status == 200

        await eventually(serves)
        submitted = await house.agree(front, list(outcomes))
    of = {said: {number for number, one in outcomes.items() if one == said} for said in ("ok", "fail", "unknown")}
    assert of["ok"] <= submitted <= of["ok"] | of["unknown"]
    numbers = Counter(outcomes.values())
    print(
        f"kills {KILLS}, submissions {numbers}, of the unknown {len(submitted - of['ok'])} happened; lost 0, doubled 0"
    )
