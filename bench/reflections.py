"""From 申込む of an account registration until its answer that the account is in the list (P6, P7)."""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import aiohttp

from deploy.local.cluster import test_cluster
from tests.applications.fronts import ACCOUNT, Front
from tests.support import callers
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.processes import run, serving

CODE = "500000001"
WISH = ACCOUNT | {"bank_code": "9985", "branch_code": "101"}


async def measure(times: int) -> dict[str, float]:
    """One registration after the other; milliseconds."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        async with (
            Signer().published() as signer,
            Platform(cluster, Path(folder), signer) as platform,
            serving(platform, "accounts") as accounts,
            serving(platform, "applications") as applications,
        ):
            await run(platform, "accounts", "banks", "demo")
            return await register(platform, accounts.url, applications.url, times)


async def register(platform: Platform, accounts: str, applications: str, times: int) -> dict[str, float]:
    """Register many accounts, and look in the end whether all of them are listed."""
    caller = callers.administrator(CODE)
    taken = []
    async with aiohttp.ClientSession() as client:
        front = Front(client, applications, platform.headers(caller), caller)
        await asyncio.sleep(3)  # ended sessions must be known first
        for number in range(times + 20):
            draft = await front.draft("account_registration", WISH | {"account_number": f"{number:07d}"})
            began = time.perf_counter()
            reply = await front.submit(draft)
            if number >= 20:  # the first ones warm up
                taken.append((time.perf_counter() - began) * 1000)
            if reply.body["state"] != "completed":
                raise SystemExit(f"not reflected: {reply}")
        listed = (await Front(client, accounts, front.headers, caller).ask("GET", "/accounts")).body
        if len(listed) != times + 20:
            raise SystemExit(f"{len(listed)} accounts are listed")
    taken.sort()
    return {
        "registrations": times,
        "reflected_p50_ms": round(taken[times // 2], 1),
        "reflected_p99_ms": round(taken[int(times * 0.99)], 1),
        "p50_of_goal": round(taken[times // 2] / 30, 2),
        "p99_of_goal": round(taken[int(times * 0.99)] / 150, 2),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=300)
    import uvloop

    print(json.dumps(uvloop.run(measure(parser.parse_args().times)), indent=2))


if __name__ == "__main__":
    main()
