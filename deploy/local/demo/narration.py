"""How the story is told: chapters, what happened, and how long each asynchronous step took."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from deploy.local.outsiders import PATIENCE_SECONDS
from deploy.local.refusals import Refusal


@dataclass
class Story:
    """Prints while it happens; keeps the hops for the table at the end."""

    hops: list[tuple[str, float]] = field(default_factory=list)
    chapters: int = 0

    def chapter(self, title: str) -> None:
        """A new part."""
        self.chapters += 1
        heading = f"{self.chapters}. {title}"
        print(f"\n\033[1m{heading}\033[0m" if sys.stdout.isatty() else f"\n{heading}", flush=True)

    def tell(self, text: str) -> None:
        """One thing that happened."""
        print(f"  {text}", flush=True)

    @contextmanager
    def hop(self, what: str) -> Iterator[None]:
        """Time a step that others carry out."""
        began = time.perf_counter()
        yield
        took = (time.perf_counter() - began) * 1000
        self.hops.append((what, took))
        self.tell(f"→ {what} ({took:.0f} ms)")

    async def wait(self, what: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask until the answer is truthy, and remember how long it took."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.hop(what):
            while not (found := await ask()):
                if time.monotonic() > deadline:
                    raise Refusal(f"{what}: did not happen within {PATIENCE_SECONDS:.0f} s.")
                await asyncio.sleep(0.01)
        return found

    def table(self) -> None:
        """All hops."""
        for what, took in self.hops:
            self.tell(f"{took:7.0f} ms  {what}")
