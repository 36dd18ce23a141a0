"""The whole platform as processes that can be killed one by one, each at an address that stays the same."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from chassis.service import Service
from deploy.local.cluster import Cluster
from tests.faults.lives import Life, Nursery, nursery
from tests.notifier.relays import BadRelay, bad_relay
from tests.support.environments import as_environment
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.ports import free_port

SENDERS = 2
NOTICED_SECONDS = 0.2  # until a balancer that asks /serving sends nobody to a process that leaves
STARTED_SECONDS = 120.0  # a bound, not a measure: the machine may be busy with other tests


class House:
    """Services by name, each with `processes` of them; a process is known by its service and its place, 0 the first."""

    def __init__(self, platform: Platform, nursery: Nursery, relay: BadRelay, client: aiohttp.ClientSession) -> None:
        self.platform, self.nursery, self.relay, self.client = platform, nursery, relay, client
        self.processes = 1
        self.lives: dict[tuple[str, int], Life] = {}
        self._ports: dict[tuple[str, int], int] = {}
        self._ready: set[tuple[str, int]] = set()
        self.told: dict[str, dict[str, Any]] = {
            "notifier": {
                "smtp_port": relay.port, "smtp_security": "none", "smtp_seconds": 2, "senders": SENDERS,
                "address_patience": timedelta(milliseconds=100),
            },
            "audit": {"checkpoint_seconds": 0.4},
            "identity": {
                "one_time_passwords_in_10_minutes": 100_000, "one_time_passwords_per_day": 100_000,
                "failures_per_source": 100_000, "login_failures": 100,
            },
            "applications": {"most_numbers_a_day": 99_999, "most_keys": 1_000_000, "answer_seconds": 1.0},
        }  # fmt: skip
        """What each service is told beside the usual."""

    def url(self, name: str, place: int = 0) -> str:
        """Where a process is reached, in all of its lives."""
        if (name, place) not in self._ports:
            self._ports[name, place] = free_port()
        return f"http://127.0.0.1:{self._ports[name, place]}"

    def doors(self, name: str) -> list[str]:
        """The addresses of a service, in the order in which a balancer tries them this time.

        It knows who has become ready, but not at once who has left or died.
        """
        known = [place for place in range(self.processes) if (name, place) in self._ready]
        known = known or list(range(self.processes))
        return [self.url(name, place) for place in random.sample(known, len(known))]

    def environment(self, name: str, place: int) -> dict[str, str]:
        """What a process is told."""
        port = int(self.url(name, place).rpartition(":")[2])
        member = f"{self.platform.prefix}-{name}-{place}"
        usual: dict[str, Any] = {
            "port": port, "member": member, "log_level": "WARNING", "leaving_seconds": 0.5, "owner_database_url": None
        }  # fmt: skip
        return as_environment(self.platform.settings(name, **usual | self.told.get(name, {})))

    async def begin(self, name: str, place: int = 0, death: tuple[str, int] | None = None) -> Life:
        """A new life of a process; `death`: the label of a point and a visit."""
        self._ready.discard((name, place))
        life = await self.nursery.birth(name, self.environment(name, place), self.url(name, place), death)
        self.lives[name, place] = life
        return life

    async def ready(self, life: Life, timeout: float = STARTED_SECONDS) -> bool:
        """Wait until it says that it is ready; False when it died before."""
        async with asyncio.timeout(timeout):
            while not life.over:
                try:
                    async with self.client.get(f"{life.url}/ready") as answer:
                        if answer.status == 200:
                            self._ready |= {one for one, known in self.lives.items() if known is life}
                            return True
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(0.02)
        return False

    def fell(self, name: str, place: int) -> bool:
        """Whether a process that was ready has ended without anybody's doing."""
        life = self.lives[name, place]
        return life.over and not life.signalled and (name, place) in self._ready

    async def all_ready(self) -> None:
        """Begin every process that does not live, and wait for all."""
        wanted = [(name, place) for name in self.platform.services for place in range(self.processes)]
        for name, place in wanted:
            if (name, place) not in self.lives or self.lives[name, place].over:
                await self.begin(name, place)
        ready = await asyncio.gather(*(self.ready(self.lives[one]) for one in wanted))
        assert all(ready), f"did not start: {self.logged()}"

    async def renew(self) -> None:
        """Every process gives way to a new one, as in a release: the services at once, their processes in turn."""
        await asyncio.gather(*(self._renew(name) for name in self.platform.services))

    async def _renew(self, name: str) -> None:
        for place in range(self.processes):
            stopping = asyncio.create_task(self.lives[name, place].stopped())
            await asyncio.sleep(NOTICED_SECONDS)
            self._ready.discard((name, place))
            await stopping
            assert await self.ready(await self.begin(name, place)), self.logged()

    def logged(self) -> str:
        """The end of what the processes wrote."""
        return self.nursery.log.read_text(errors="replace")[-3000:]

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(*(life.killed() for life in self.lives.values()))


@asynccontextmanager
async def open_house(
    cluster: Cluster,
    signer: Signer,
    folder: Path,
    client: aiohttp.ClientSession,
    of: Mapping[str, Service] | None = None,
) -> AsyncIterator[House]:
    """Databases, broker and relay are there; no service lives yet."""
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(bad_relay())
        lives = await stack.enter_async_context(nursery(folder / "lives.log"))
        platform = await stack.enter_async_context(Platform(cluster, folder, signer, of))
        house = House(platform, lives, relay, client)
        stack.push_async_callback(house.close)
        yield house
