"""The long-running work of a process: relay, consumers, clocks."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from chassis.http.failures import describe

log = structlog.get_logger()


class Background:
    """The long-running work of a process; one that ends by an error ends the process, so that it is restarted."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._owner = asyncio.current_task()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside everything else."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.critical("background_work_died", work=task.get_name(), **describe(error))
            if self._owner is not None:
                self._owner.cancel()

    async def stop(self) -> None:
        """Cancel everything, and wait up to 5 s for it to end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


@asynccontextmanager
async def background() -> AsyncIterator[Background]:
    """Start work inside; leaving cancels it and waits for its end."""
    work = Background()
    try:
        yield work
    finally:
        await work.stop()
