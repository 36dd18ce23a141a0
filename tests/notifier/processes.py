"""The notifier as processes of its own, which can be killed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]


def environment(platform: Platform, **overrides: Any) -> dict[str, str]:
    """What such a process is told."""
    told = platform.settings("notifier", **overrides).model_dump(mode="json", exclude_none=True)
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("NOTIFIER_")}
        | {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT / 'shared'}", "PYTHONUTF8": "1"}
        | {f"NOTIFIER_{name.upper()}": str(value) for name, value in told.items()}
    )


@asynccontextmanager
async def serving(platform: Platform, **overrides: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m notifier serve` while inside; started when it says so."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifier", "serve",
        env=environment(platform, **overrides), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"started" not in (line := await process.stderr.readline()):
            assert line, "it did not start"
    drain = asyncio.create_task(process.stderr.read())
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await drain
