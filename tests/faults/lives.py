"""Service processes that are born quickly, killed at will, and whose end is noticed at once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Life:
    """One process of a service."""

    def __init__(self, pid: int, url: str) -> None:
        self.pid, self.url = pid, url
        self.signalled = False
        self._ended = asyncio.Event()
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended.set()
        else:
            asyncio.get_running_loop().add_reader(self._handle, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        self._ended.set()

    @property
    def over(self) -> bool:
        """Whether the process is gone."""
        return self._ended.is_set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it is gone."""
        if not self.over:
            self.signalled = True
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    async def ended(self) -> None:
        """Wait for the end."""
        await self._ended.wait()

    async def killed(self) -> None:
        """SIGKILL, and wait."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stopped(self, patience: float = 20.0) -> None:
        """SIGTERM, and wait; raises TimeoutError (after SIGKILL) when that takes too long."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                await self.ended()
        except TimeoutError:
            await self.killed()
            raise


class Nursery:
    """Where lives begin."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self.log = log

    async def birth(
        self, service: str, environment: Mapping[str, str], url: str, death: tuple[str, int] | None = None
    ) -> Life:
        """A process of `service`; `death`: the label of a point, and the visit at which it dies there."""
        order: dict[str, Any] = {"service": service, "environment": dict(environment), "log": str(self.log)}
        if death is not None:
            order["death"] = [service, *death]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            return Life(int(await self._process.stdout.readline()), url)


@asynccontextmanager
async def nursery(log: Path) -> AsyncIterator[Nursery]:
    """The process that forks the others; what they write goes to `log`."""
    path = os.pathsep.join(str(ROOT / part) for part in ("services", "shared", "."))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.nursery",
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Nursery(process, log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
