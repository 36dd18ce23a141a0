"""Those who kill, cut and freeze, again and again, while people work."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.house import House
from tests.faults.servers import OwnServers
from tests.support.proxy import Proxy

FROZEN_SECONDS = 4.5  # longer than a statement may take
PAUSE_AFTER_BROKER = 5.0  # a node killed within moments of its start may come back without its queues


@dataclass
class Monkeys:
    """What they may lay hands on, and how often they have."""

    house: House
    servers: OwnServers
    proxies: Mapping[str, Proxy]
    done: Counter[str] = field(default_factory=Counter)
    over: bool = False

    async def kill_service(self) -> None:
        """A process dies."""
        await random.choice([life for life in self.house.lives.values() if not life.over]).killed()

    async def kill_database(self) -> None:
        """PostgreSQL dies and comes back."""
        await self.servers.kill_postgres()
        await asyncio.to_thread(self.servers.postgres.start)

    async def kill_broker(self) -> None:
        """RabbitMQ dies and comes back."""
        assert self.servers.rabbitmq is not None
        await self.servers.kill_broker()
        await asyncio.to_thread(self.servers.rabbitmq.start)
        await asyncio.sleep(PAUSE_AFTER_BROKER)

    async def cut(self) -> None:
        """All connections to one server break."""
        random.choice(list(self.proxies.values())).cut()

    async def freeze(self) -> None:
        """Nothing passes to or from one server for a while."""
        proxy = random.choice(list(self.proxies.values()))
        proxy.freeze()
        await asyncio.sleep(FROZEN_SECONDS)
        proxy.thaw()

    async def supervise(self) -> None:
        """Until it is over: whatever process was killed, or could not start, is started again and becomes ready.

        It is never cancelled: that could forget a process which is just being born.
        """
        async with asyncio.TaskGroup() as starting:
            while not self.over:
                for (name, place), life in list(self.house.lives.items()):
                    assert not self.house.fell(name, place), f"{name} ended by itself: {self.house.logged()}"
                    if life.over:
                        starting.create_task(self.house.ready(await self.house.begin(name, place), timeout=600))
                        self.done["restart"] += 1
                await asyncio.sleep(0.1)

    async def harass(self, deed: Callable[[], Awaitable[None]], times: int, seconds: float) -> None:
        """Do it so many times, spread by chance over so many seconds."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for moment in sorted(random.uniform(0, seconds) for _ in range(times)):
            await asyncio.sleep(max(0.0, start + moment - loop.time()))
            await deed()
            self.done[deed.__name__.replace("_", " ")] += 1
