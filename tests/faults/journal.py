"""The client's log: what was tried and what is known of it, on the disk before anybody relies on it."""

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["ok", "fail", "unknown"]


@dataclass(frozen=True)
class Action:
    """Something that a client did: the audit's row for it has this type, and the word where `by` says."""

    event: str
    word: str
    by: str = "name"


class Journal:
    """Lines of JSON, each flushed to the disk (fdatasync); several that come together share one flush."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._written = self._flushed = 0
        self._flushing = asyncio.Lock()
        self.acknowledged = 0

    def close(self) -> None:
        """No more lines."""
        os.close(self._file)

    async def invoke(self, action: Action) -> None:
        """About to be tried."""
        await self._line({"invoke": action.word, "event": action.event, "by": action.by})

    async def end(self, action: Action, outcome: Outcome, status: int | None = None) -> None:
        """`ok`: acknowledged; `fail`: certainly not done; `unknown`: who knows."""
        self.acknowledged += outcome == "ok"
        await self._line({outcome: action.word, "event": action.event, "by": action.by, "status": status})

    async def _line(self, said: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(said).encode() + b"\n")
        self._written += 1
        mine = self._written
        async with self._flushing:
            if self._flushed < mine:
                now = self._written
                await asyncio.to_thread(os.fdatasync, self._file)
                self._flushed = now


@dataclass
class Known:
    """What the log says, read from the disk as a checker would after a crash of the client."""

    ok: set[Action]
    unknown: set[Action]
    failed: set[Action]
    statuses: Counter[int]

    @classmethod
    def read(cls, path: Path) -> "Known":
        """An action that began and has no end is unknown."""
        known = cls(set(), set(), set(), Counter())
        for line in path.read_bytes().splitlines():
            said = json.loads(line)
            verb = next(verb for verb in ("invoke", "ok", "fail", "unknown") if verb in said)
            action = Action(said["event"], said[verb], said["by"])
            if verb in ("invoke", "unknown"):
                known.unknown.add(action)
            else:
                known.unknown.discard(action)
                (known.ok if verb == "ok" else known.failed).add(action)
            if (status := said.get("status")) is not None:
                known.statuses[status] += 1
        return known
