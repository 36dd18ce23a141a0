"""Tells the story on this checkout's running platform: `python -m deploy.local.demo`."""

import asyncio
import sys

import aiohttp

from deploy.local.demo.narration import Story
from deploy.local.demo.plot import tell
from deploy.local.operations import demand
from deploy.local.outsiders import Outside
from deploy.local.refusals import Refusal
from deploy.local.state import open_state


async def main() -> None:
    """All chapters, for a policyholder that nobody had before."""
    known = demand(open_state())
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        await tell(Story(), Outside(known, http))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
