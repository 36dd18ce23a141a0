"""A process killed at any point loses nothing that was acknowledged, and doubles nothing (R-1, R-4)."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from deploy.local.cluster import Cluster
from tests.faults import victim
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.scale import scaled

FORGETFUL_INBOX = """
create function forget() returns trigger language plpgsql as $$
begin delete from inbox where listener = new.listener and id = new.id; return null; end $$;
alter function forget() security definer;
create trigger forgetful after insert on inbox for each row execute function forget();
"""
KILLS = scaled(1, 25)
pytestmark = pytest.mark.chaos
ROOT = Path(__file__).parents[2]


class Oracle:
    """What the client knows: acknowledged, or of unknown outcome."""

    def __init__(self) -> None:
        self.ok: set[str] = set()
        self.unknown: set[str] = set()

    async def say(self, client: aiohttp.ClientSession, url: str, word: str) -> None:
        """One request; a lost answer leaves its outcome unknown."""
        self.unknown.add(word)
        try:
            async with client.post(
                f"{url}/notes", json={"word": word}, timeout=aiohttp.ClientTimeout(total=5)
            ) as answer:
                if answer.status == 204:
                    self.unknown.discard(word)
                    self.ok.add(word)
        except (aiohttp.ClientError, OSError, TimeoutError):
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with the victim."""
    folder = tmp_path_factory.mktemp("victim")
    migrations = folder / "victim" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_tables.sql").write_text(victim.MIGRATION)
    service = victim.service.__class__(**(vars(victim.service) | {"migrations": migrations}))
    platform = Platform(cluster, folder, signer, {"victim": service})
    await platform.prepare()
    await asyncio.sleep(4)  # RabbitMQ may forget a quorum queue that is used within a second of its declaration
    try:
        yield platform
    finally:
        await platform.close()


@asynccontextmanager
async def process(house: Platform, *death: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The victim as a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("services", "shared", ".")),
        "VICTIM_DATABASE_URL": house.database("victim"),
        "VICTIM_BROKER_URL": house.broker("victim"),
        "VICTIM_PARTNER_BROKER_URL": house.broker("victim", house.partner_host),
        "VICTIM_IDENTITY_KEYS_URL": house.signer.url,
        "VICTIM_PORT": str(port),
        "VICTIM_MEMBER": f"victim-{port}",
        "VICTIM_LOG_LEVEL": "ERROR",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.victim", *death, cwd=ROOT, env=environment
    )
    try:
        yield child, f"http://127.0.0.1:{port}"
    finally:
        if child.returncode is None:
            child.terminate()
            async with asyncio.timeout(15):
                await child.wait()


async def answers(client: aiohttp.ClientSession, url: str) -> bool:
    """Whether the process serves."""
    try:
        async with client.get(f"{url}/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.parametrize("point", victim.POINTS)
async def test_a_kill_loses_nothing_and_doubles_nothing(
    house: Platform, client: aiohttp.ClientSession, point: str
) -> None:
    oracle = Oracle()
    for _ in range(KILLS):
        async with process(house, point, str(random.randint(1, 12))) as (dying, url):
            async with asyncio.timeout(60):
                while dying.returncode is None:
                    await asyncio.gather(*(oracle.say(client, url, unique.word("kill")) for _ in range(4)))
                    await asyncio.sleep(0)
    async with process(house) as (_, url), house.owner("victim") as database:
        await eventually(lambda: answers(client, url), timeout=30)
        await oracle.say(client, url, last := unique.word("last"))
        assert last in oracle.ok

        async def settled() -> bool:
            waiting = await database.fetchval("select count(*) from outbox")
            heard = await database.fetchval("select count(*) from heard where word = any($1)", list(oracle.ok))
            recorded = await database.fetchval("select count(*) from recorded where word = any($1)", list(oracle.ok))
            return bool(not waiting and heard >= len(oracle.ok) and recorded >= len(oracle.ok))

        await eventually(settled, timeout=30)
        heard = [row["word"] for row in await database.fetch("select word from heard")]
        recorded = {row["word"] for row in await database.fetch("select word from recorded")}
        said = {row["word"] for row in await database.fetch("select word from said")}
        assert len(heard) == len(set(heard)), "an event was heard twice"
        assert set(heard) == recorded == said, "state and events differ"
        mine = oracle.ok | oracle.unknown
        assert oracle.ok <= said and {word for word in said if word in mine} <= mine
        assert await database.fetchval("select count(*) from parked") == 0


async def test_without_the_inbox_the_same_kill_doubles_an_event(house: Platform, client: aiohttp.ClientSession) -> None:
    """The mutant: an inbox that forgets lets the redelivered event through, and the oracle above would notice."""
    async with house.owner("victim") as database:
        await database.execute(FORGETFUL_INBOX)
        try:
            word = unique.word("twice")
            async with process(house, "after the commit of one event", "1") as (dying, url):
                await eventually(lambda: told(client, url, word), timeout=30)
                async with asyncio.timeout(30):
                    await dying.wait()
            async with process(house):

                async def doubled() -> bool:
                    return bool(await database.fetchval("select count(*) > 1 from heard where word = $1", word))

                await eventually(doubled, timeout=30)
        finally:
            await database.execute("drop trigger forgetful on inbox; drop function forget()")


async def told(client: aiohttp.ClientSession, url: str, word: str) -> bool:
    """Say a word as soon as the process serves."""
    try:
        async with client.post(f"{url}/notes", json={"word": word}) as answer:
            return answer.status == 204
    except aiohttp.ClientError:
        return False
