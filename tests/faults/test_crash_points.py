"""A process killed at any labelled point loses nothing that was acknowledged, and doubles nothing (R-1, R-4)."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from deploy.local.cluster import Cluster
from tests.faults.checker import check
from tests.faults.crowd import Crowd, open_crowd
from tests.faults.dying import epitaph, place_of
from tests.faults.house import open_house
from tests.faults.points import AFTERWARDS, FIRST_ONLY, POINTS
from tests.faults.rounds import Rounds
from tests.support.keys import Signer
from tests.support.scale import CHAOS, progress, scaled

KILLS = scaled(1, 25)
SAMPLE = scaled(12, 1)
VISITED_SECONDS = 30.0
pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
async def crowd(
    cluster: Cluster, signer: Signer, client: aiohttp.ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crowd]:
    """The whole platform as processes, with a few policyholders whose administrators can log in."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(cluster, signer, tmp_path_factory.mktemp("house"), client))
        await house.all_ready()
        yield await stack.enter_async_context(open_crowd(house))


async def die(rounds: Rounds, service: str, label: str) -> None:
    """Let the service's process die there, then let a new one begin."""
    house = rounds.crowd.house
    began = asyncio.get_running_loop().time()
    visit = 1 if label in FIRST_ONLY else random.randint(1, 3)
    rounds.newcomers = 0
    before = house.nursery.log.read_bytes().count(epitaph(service, label))
    await house.lives[service, 0].killed()
    life = await house.begin(service, death=(label, visit))
    try:
        async with asyncio.timeout(VISITED_SECONDS):
            while not life.over:
                await rounds.go(service)
    except TimeoutError:
        raise AssertionError(f"{service}: nothing came to '{label}' {visit} times\n{house.logged()}") from None
    assert house.nursery.log.read_bytes().count(epitaph(service, label)) == before + 1, house.logged()
    await house.begin(service)
    progress(f"{asyncio.get_running_loop().time() - began:6.1f} s  {service}: {label} ({visit})")


def test_every_point_is_there() -> None:
    for point in POINTS:
        owner, name = place_of(point)
        assert callable(getattr(owner, name)), point


@pytest.mark.requirement("R-1", "R-4", "H0", "H1", "H2", "H4", "H6", "H8")
async def test_a_kill_at_any_point_loses_nothing_and_doubles_nothing(
    crowd: Crowd, record_property: Callable[[str, object], None]
) -> None:
    rounds = Rounds(crowd)
    for _ in range(KILLS):
        for point in random.sample(POINTS, len(POINTS)) if CHAOS else POINTS[::SAMPLE]:
            if point.label in AFTERWARDS:
                await die(rounds, point.service, AFTERWARDS[point.label])
            await die(rounds, point.service, point.label)
    await crowd.house.all_ready()
    await rounds.end()
    findings = await check(crowd, rubbish=rounds.rubbish)
    record_property("found", f"{len(POINTS)} points, {KILLS} times: {findings.line()}")
    assert not findings.wrong
