"""accounts as processes of its own, which can be killed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]


def _environment(platform: Platform) -> dict[str, str]:
    told = platform.settings("accounts").model_dump(mode="json", exclude_none=True)
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTS_")}
        | {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT / 'shared'}", "PYTHONUTF8": "1"}
        | {f"ACCOUNTS_{name.upper()}": str(value) for name, value in told.items()}
    )


async def run(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """`python -m accounts …`; answers exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accounts", *arguments,
        env=_environment(platform), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), errors.decode()


@asynccontextmanager
async def serving(platform: Platform) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m accounts serve` while inside; started when it says so."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accounts", "serve",
        env=_environment(platform), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
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
