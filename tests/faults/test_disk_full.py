"""While the database's disk is full requests are answered 503; what was acknowledged is whole afterwards (R-10)."""

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from chassis.service import Runtime
from deploy.local.cluster import Cluster
from tests.faults.servers import OwnServers
from tests.faults.victim import victims_platform
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.scale import scaled

MEGABYTES = 160
WORDS = scaled(300, 5000)
pytestmark = [pytest.mark.chaos, pytest.mark.requirement("R-10")]


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of its own with little room; needs the right to mount."""
    owner = place.stat()
    options = f"size={MEGABYTES}m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nobody may mount a small file system here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
async def servers() -> AsyncIterator[OwnServers]:
    """PostgreSQL on the small disk."""
    servers = OwnServers(f"disk-full-{os.getpid()}")
    with small_disk(servers.postgres.data):
        await servers.start(broker=False)
        yield servers
        await servers.stop()


@pytest.fixture
async def house(
    servers: OwnServers, cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """The victim there."""
    async with victims_platform(servers.cluster(cluster), signer, tmp_path_factory.mktemp("full")) as platform:
        yield platform


async def say(client: aiohttp.ClientSession, runtime: Runtime, words: int) -> tuple[set[int], list[str]]:
    """Words that need much room; the statuses of all answers, and the words that were acknowledged."""
    statuses, acknowledged = set(), []
    for _ in range(words):
        word = secrets.token_hex(1000)  # the longest that an index takes
        async with client.post(f"{runtime.url}/notes", json={"word": word}) as answer:
            statuses.add(answer.status)
            if answer.status == 204:
                acknowledged.append(word)
    return statuses, acknowledged


async def test_a_full_disk_refuses_and_loses_nothing(
    house: Platform, servers: OwnServers, client: aiohttp.ClientSession
) -> None:
    ballast = servers.postgres.data / "ballast"
    async with house.running("victim") as runtime:
        before, words = await say(client, runtime, 20)
        assert before == {204}
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(65536)):
                pass
        statuses, more = await say(client, runtime, WORDS)
        assert 503 in statuses
        assert statuses <= {204, 503}
        ballast.unlink()
        if not (servers.postgres.process and servers.postgres.process.alive()):
            await asyncio.to_thread(servers.postgres.start)

        async def taken() -> list[str]:
            return (await say(client, runtime, 1))[1]

        words += more + await eventually(taken, 60)

        async def all_heard() -> bool:
            async with house.owner("victim") as database:
                heard = await database.fetch("select word from heard where word = any($1)", words)
                assert len(heard) == len({row["word"] for row in heard})
                return len(heard) == len(words) and not await database.fetchval("select count(*) from parked")

        await eventually(all_heard, 60)
