"""Services as processes of their own: what they are told, what they write, where they answer."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.settings import Settings
from tests.support import unique
from tests.support.environments import as_environment
from tests.support.eventually import eventually
from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]
STARTED = re.compile(r"started .*url=(\S+)")


@dataclass(frozen=True)
class Process:
    """A service that answers at `url` and writes to `log`."""

    url: str
    log: Path
    child: asyncio.subprocess.Process


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process of the same service finds them."""
    prefix = str(settings.model_config["env_prefix"])
    return (
        {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
        | {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT / 'shared'}", "PYTHONUTF8": "1"}
        | as_environment(settings)
    )


@asynccontextmanager
async def serving(platform: Platform, name: str, **overrides: Any) -> AsyncIterator[Process]:
    """`python -m NAME serve` while inside; begins once it says that it started."""
    log = platform.folder / f"{unique.word(name)}.log"
    with log.open("wb") as written:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", name, "serve",
            env=environment(platform.settings(name, **overrides)), stdout=written, stderr=written,
        )  # fmt: skip

    async def started() -> re.Match[str] | None:
        text = log.read_text(encoding="utf-8")
        assert child.returncode is None, text
        return STARTED.search(text)

    try:
        found = await eventually(started, 60)
        assert found is not None
        yield Process(found[1], log, child)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def run(platform: Platform, name: str, *arguments: str, **overrides: Any) -> tuple[int, str, str]:
    """`python -m NAME …`; answers exit status, output and errors."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", name, *arguments, env=environment(platform.settings(name, **overrides)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode or 0, out.decode(), errors.decode()
