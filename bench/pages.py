"""The portal's pages as a browser asks for them: the median of each must stay under 100 ms on the server."""

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from yarl import URL

from deploy.local.cluster import test_cluster
from tests.portal.desks import User, opened
from tests.support.keys import Signer
from tests.support.ports import free_port
from tests.support.whole import whole_platform

LIMIT = 0.100
TIMES = 40
PAGES = (
    "/login", "/", "/notices", "/password", "/own-information", "/sessions", "/administrator", "/applicants",
    "/applicants/new", "/accounts", "/policyholder", "/applications", "/procedures/accident_procedures",
    "/access-history", "/mails", "/security-trail",
)  # fmt: skip


async def log_in(http: aiohttp.ClientSession, url: str, user: User) -> dict[str, str]:
    """Through the form; answers the cookies."""
    async with http.get(f"{url}/login") as answer:
        cookies = {name: cookie.value for name, cookie in answer.cookies.items()}
        token = re.findall(r'name="form_token" value="([^"]+)"', await answer.text())[-1]
    form = {"form_token": token, "user_id": user.user_id, "password": user.password}
    headers = {"Cookie": f"__Host-visitor={cookies['__Host-visitor']}"}
    async with http.post(f"{url}/login", data=form, headers=headers, allow_redirects=False) as answer:
        return cookies | {name: cookie.value for name, cookie in answer.cookies.items()}


async def median(http: aiohttp.ClientSession, url: URL, headers: dict[str, str]) -> float:
    """Seconds; the first ones, which compile templates, do not count."""
    seconds = []
    for number in range(TIMES + 5):
        started = time.perf_counter()
        async with http.get(url, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            if answer.status != 200:
                raise SystemExit(f"{url.path}: {answer.status}")
        if number >= 5:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


async def main() -> int:
    """Measure every page with all services in one process beside it; 1 when one is too slow."""
    worst = 0
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        async with Signer().published() as signer:
            port = free_port()
            async with (
                whole_platform(cluster, signer, Path(folder), portal_url=f"http://127.0.0.1:{port}") as place,
                opened(*place, port=port) as town,
                aiohttp.ClientSession() as http,
            ):
                admin = await town.administrator()
                cookies = await log_in(http, town.url, admin)
                headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
                print(f"{'page':36}{'median ms':>10}{'limit':>8}")
                for page in PAGES:
                    took = await median(http, URL(town.url + page), headers)
                    worst = max(worst, int(took >= LIMIT))
                    print(f"{page:36}{took * 1000:10.1f}{LIMIT * 1000:8.0f}{'  TOO SLOW' if took >= LIMIT else ''}")
    return worst


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
