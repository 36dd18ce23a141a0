"""People who go on working, at a steady pace, whatever happens to the house."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.faults import deeds
from tests.faults.crowd import Crowd

WORKERS = 40
Mix = tuple[tuple[Callable[[Crowd, str], Awaitable[object]], int], ...]
"""Deeds and how often one is done for each of the others."""
AT_GATEWAYS: Mix = (
    (deeds.look, 40), (deeds.report, 30), (deeds.register_account, 4), (deeds.apply_with_file, 2), (deeds.visit, 2),
    (deeds.export, 1),
)  # fmt: skip
WITH_NEXI: Mix = ((deeds.perform, 15), (deeds.change_profile, 4))
"""These wait for a confirm of the broker."""
MIX = AT_GATEWAYS + WITH_NEXI
"""Mostly what is quick: the history does not care what a row is about."""


class Load:
    """Workers that share a pace: so many deeds a second, or as many as they can."""

    def __init__(self, crowd: Crowd, pace: float, mix: Mix) -> None:
        self._crowd, self._mix = crowd, mix
        self._pause = 1 / pace
        self._next = asyncio.get_running_loop().time()
        self.ending = False
        self.deeds = 0

    async def work(self) -> None:
        """Until it ends; what was begun is finished."""
        kinds, weights = zip(*self._mix, strict=True)
        while not self.ending:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next + self._pause, now - 1.0)
            await asyncio.sleep(self._next - now)
            (deed,) = random.choices(kinds, weights)
            await deed(self._crowd, random.choice(self._crowd.codes))
            self.deeds += 1


@asynccontextmanager
async def at_work(crowd: Crowd, pace: float, workers: int = WORKERS, mix: Mix = MIX) -> AsyncIterator[Load]:
    """Everybody works while inside."""
    load = Load(crowd, pace, mix)
    everybody = [asyncio.create_task(load.work()) for _ in range(workers)]
    try:
        yield load
    finally:
        load.ending = True
        await asyncio.gather(*everybody)
