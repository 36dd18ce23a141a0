"""Applications as a model of thirty lines has them, and the process that is compared with it and killed."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from chassis.sql import Database
from tests.applications.fronts import Front
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform, Spy
from tests.support.ports import free_port
from tests.support.processes import Process, serving

OUTCOMES = {"complete": "completed", "reject": "rejected"}


@dataclass
class Modelled:
    """An application as the model has it."""

    version: int = 1
    state: str = "draft"
    content: int = 0
    steps: list[str] = field(default_factory=lambda: ["confirm"])
    early: list[str] = field(default_factory=list)
    """Words that came before the submission; one of them wins then, whichever process tries first."""

    def correct(self, version: int, content: int) -> int:
        if self.state != "draft" or version != self.version:
            return 412 if version != self.version else 409
        self.version, self.content = self.version + 1, content
        self.steps.append("correct")
        return 200

    def submit(self, version: int) -> int:
        if version != self.version:
            return 412
        if self.state == "withdrawn":
            return 409
        if self.state == "draft":
            self.state = "submitted"
            self.steps.append("submit")
        return 200

    def withdraw(self, version: int) -> int:
        if version != self.version:
            return 412
        if self.state == "draft":
            self.state = "withdrawn"
            self.steps.append("withdraw")
        return 200 if self.state == "withdrawn" else 409

    def hear(self, word: str) -> str:
        if self.state == "draft":
            self.early.append(word)
        if self.state != "submitted":
            return "parked"
        self.state = OUTCOMES[word]
        self.steps.append(word)
        return "applied"


class World:
    """The real thing: one process at a time, killed and started again now and then."""

    def __init__(self, platform: Platform, front: Callable[..., Front], spy: Spy, database: Database) -> None:
        self.loop = asyncio.get_running_loop()
        self.platform, self.front, self.spy, self.database = platform, front, spy, database
        self.kills = 0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None
        self._stack = AsyncExitStack()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run in the loop of the tests; we are in a thread of our own."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def start(self) -> None:
        self._process = await self._stack.enter_async_context(
            serving(self.platform, "applications", port=self.port, answer_seconds=15.0)
        )
        anybody = self.front(callers.administrator(unique.policyholder_code()), self.url)

        async def serves() -> bool:
            return (await anybody.list()).status == 200

        await eventually(serves)

    async def kill(self) -> None:
        assert self._process is not None
        self.kills += 1
        self._process.child.kill()
        await self._stack.aclose()
        await self.start()

    async def stop(self) -> None:
        await self._stack.aclose()
