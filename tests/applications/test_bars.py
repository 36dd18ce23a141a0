"""Whatever is asked 64 times at the same moment, early, late or twice has one effect, in every service (C-4, C-8)."""

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from contracts.applications import ApplicationCompleted, ApplicationRejected
from contracts.nexi import PolicyholderRegistered
from tests.applications.everybody import Everybody
from tests.applications.fronts import Front, Reply, completed, profile, rejected, today
from tests.applications.words import report
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.scale import scaled

pytestmark = pytest.mark.chaos
PARALLEL = 64


async def together(fronts: list[Front], draft: Any, keys: list[str | None], said: list[bool | None]) -> list[Reply]:
    """Submit as often as there are keys, all at once, by turns to each process."""
    asked = zip(itertools.cycle(fronts), keys, said, strict=False)
    return await asyncio.gather(*(front.submit(draft, key=key, acknowledged=yes) for front, key, yes in asked))


@pytest.mark.requirement("C-4", "P1", "P5", "R200")
async def test_64_parallel_submits_are_one_transition_one_record_and_one_receipt(
    house: Everybody, urls: list[str], client: aiohttp.ClientSession
) -> None:
    code, numbers = await house.administrator(), []
    fronts = house.fronts(client, urls, code)
    for turn in range(scaled(3, 60)):
        draft = await fronts[0].draft()
        keys = [(None, f"all-{turn}", f"{place}-{turn}")[turn % 3] for place in range(PARALLEL)]
        replies = await together(fronts, draft, keys, [None] * PARALLEL)
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body["submitted_at"] for reply in replies}) == 1
        steps = (await fronts[1].ask("GET", f"/applications/{draft['number']}/timeline")).body
        assert [one["step"] for one in steps] == ["confirm", "submit"]
        numbers.append(draft["number"])
    assert await house.agree(fronts[0], numbers) == set(numbers)
    await house.settle()
    assert house.mailed(code, numbers, "受付") == Counter(numbers)


@pytest.mark.requirement("C-4", "P1")
async def test_of_two_bodies_under_one_key_one_is_done_and_the_other_refused(
    house: Everybody, urls: list[str], client: aiohttp.ClientSession
) -> None:
    fronts = house.fronts(client, urls, await house.administrator())
    for turn in range(scaled(2, 40)):
        draft = await fronts[0].draft()
        bodies = [bool(place % 3) for place in range(PARALLEL)]
        replies = await together(fronts, draft, [f"two-{turn}"] * PARALLEL, list(bodies))
        found = Counter((body, reply.status) for body, reply in zip(bodies, replies, strict=True))
        assert found in (
            Counter({(True, 200): bodies.count(True), (False, 422): bodies.count(False)}),
            Counter({(False, 200): bodies.count(False), (True, 422): bodies.count(True)}),
        )
        assert {reply.kind for reply in replies if reply.status == 422} == {"key-reused"}


@pytest.mark.requirement("C-8", "P6", "R202")
async def test_completions_early_twice_64_times_in_parallel_and_late_have_one_effect(
    house: Everybody, urls: list[str], client: aiohttp.ClientSession
) -> None:
    nexi = callers.partner()
    doors = [Front(client, url, house.platform.headers(nexi), nexi) for url in urls]
    for turn in range(scaled(2, 30)):
        code = await house.administrator()
        front = house.fronts(client, urls, code)[turn % 2]
        draft = await change_of_profile(house, front, code)
        number = draft["number"]
        async with house.platform.hears(ApplicationCompleted, ApplicationRejected) as spy:
            if turn % 2:
                await say(house, doors, [completed(number), rejected(number)])  # early
            assert (await front.submit(draft)).status == 200
            await say(house, doors, [completed(number)] * 48 + [rejected(number)] * 16)
            await spy.next(number=number)
            await say(house, doors, [completed(number), rejected(number)])  # late
            await house.settle()
            assert not [one for one in spy.seen if one["data"]["number"] == number]
        steps = [one["step"] for one in (await front.ask("GET", f"/applications/{number}/timeline")).body]
        assert steps in (["confirm", "submit", "complete"], ["confirm", "submit", "reject"])
        await seen_by_all(house, code, number, done="complete" in steps)
        await nothing_is_dropped(house, number, words=68 if turn % 2 else 66)


async def seen_by_all(house: Everybody, code: str, number: str, done: bool) -> None:
    """One mail about this outcome and none about the other; the profile changed once or not at all."""

    async def mails() -> tuple[int, int]:
        return house.mailed(code, [number], "手続完了")[number], house.mailed(code, [number], "できなかった")[number]

    async def told() -> bool:
        return sum(await mails()) > 0

    await eventually(told)
    await house.settle()
    assert await mails() == (int(done), int(not done))
    async with house.platform.owner("accounts") as database:
        assert await database.fetchval("select count(*) from profiles where number = $1", number) == int(done)


async def nothing_is_dropped(house: Everybody, number: str, words: int) -> None:
    """Every word but the one that was acted upon stands aside with its reason."""
    async with house.platform.owner("applications") as database:

        async def aside() -> Counter[str]:
            rows = await database.fetch(
                "select reason from parked where state = 'parked' and convert_from(body, 'UTF8') like $1", f"%{number}%"
            )
            return Counter(row["reason"].partition(":")[0] for row in rows)

        async def all_aside() -> bool:
            return (await aside()).total() >= words - 1

        await eventually(all_aside)
        found = await aside()
    assert found.total() == words - 1
    assert found.keys() <= {"contradictory", "duplicate"}


async def change_of_profile(house: Everybody, front: Front, code: str) -> Any:
    """NEXI registers the policyholder; a draft that changes its profile."""
    issued_at = datetime.now(UTC) - timedelta(days=1)
    event = PolicyholderRegistered(issued_at=issued_at, policyholder_code=code, profile=profile(), terms_agreed=False)
    await house.platform.nexi.publish(event)

    async def known() -> Any:
        reply = await front.confirm("policyholder_change", {"wished_date": today(), "name": "新しい名前"})
        return reply.body if reply.status == 201 else None

    return await eventually(known)


async def say(house: Everybody, doors: list[Front], words: list[Any]) -> None:
    """All at once: every second word over AMQP, twice under its id; the others over HTTP."""
    ids: list[UUID] = [uuid4() for _ in words]

    async def over_http(front: Front, message: Any, event_id: UUID) -> None:
        assert (await front.ask("POST", "/nexi/events", json=report(message, event_id))).status == 200

    async with house.platform.nexi as speaker:
        await asyncio.gather(
            speaker.publish(*words[::2] * 2, ids=ids[::2] * 2),
            *(over_http(*one) for one in list(zip(itertools.cycle(doors), words, ids, strict=False))[1::2]),
        )
