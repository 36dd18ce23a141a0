"""Preflight and export (P7, P8, P11): exact counts in a growing table, and the CSV against psql's COPY of the query."""

import argparse
import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from audit.store.downloads import question
from bench.audit_ingest import fill as publish
from bench.audit_ingest import serve
from bench.audit_stage import stage
from bench.audit_year import fill
from contracts.operations import PRINTED
from tests.support.callers import administrator
from tests.support.platform import Platform

LARGEST = "100000000"
PORT = 39_417
INTAKE = 100_000


def memory(pid: int) -> float:
    """Resident MiB of a process now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def preflight(client: Any, headers: Any, times: int) -> tuple[dict[str, Any], list[float]]:
    """The search of a year over all users, again and again; the answer and the milliseconds each took."""
    now = datetime.now(UTC)
    asked = {"first_day": f"{now - timedelta(days=400):%Y-%m-%d}", "last_day": f"{now + timedelta(days=1):%Y-%m-%d}"}
    took, found = [], {}
    for _ in range(times):
        begun = time.perf_counter()
        async with client.post("/access-history/searches", json=asked | {"form": "by_time"}, headers=headers) as answer:
            found = await answer.json()
            assert answer.status == 201, found
        took.append((time.perf_counter() - begun) * 1000)
    return found, took


async def export(client: Any, headers: Any, found: dict[str, Any], pid: int) -> tuple[float, float, int, float]:
    """Seconds to the first byte, seconds altogether, bytes, and by how many MiB the process grew."""
    before = top = memory(pid)
    begun, first, size = time.perf_counter(), 0.0, 0
    async with client.get(f"/access-history/searches/{found['id']}/csv", headers=headers) as answer:
        async for piece in answer.content.iter_any():
            first = first or time.perf_counter() - begun
            size += len(piece)
            top = max(top, memory(pid))
    return first, time.perf_counter() - begun, size, top - before


async def psql(platform: Platform, found: dict[str, Any]) -> float:
    """Seconds that psql takes to copy the same query, whole, to nowhere."""
    text = question("history", "by_time")
    codes = ",".join(f"'{one.value}'" for one in PRINTED)
    names = ",".join(f"'{one}'" for one in PRINTED.values())
    given = {
        "$1": f"array[{codes}]", "$2": f"array[{names}]", "$3": f"'{LARGEST}'",
        "$4": f"(select array_agg(distinct user_id) from days where policyholder_code = '{LARGEST}')",
        "$5": f"'{found['window']['since']}'", "$6": f"'{found['window']['until']}'", "$7": "9223372036854775807",
    }  # fmt: skip
    for place in sorted(given, reverse=True):
        text = text.replace(place, given[place])
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "psql", platform.owner_database("audit"), "-qc", f"copy ({' '.join(text.split())}) to stdout (format csv)",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0
    return time.perf_counter() - begun


async def intake(platform: Platform, events: int) -> float:
    """Rows a second from the first event that is published to the last that is committed."""
    connection = await asyncpg.connect(platform.owner_database("audit"))
    try:
        until = await connection.fetchval("select rows from log") + events
        begun = time.perf_counter()
        await publish(platform, events)
        while await connection.fetchval("select rows from log") < until:
            await asyncio.sleep(0.02)
        return events / (time.perf_counter() - begun)
    finally:
        await connection.close()


async def beside(platform: Platform, client: Any, headers: Any, found: dict[str, Any], pid: int) -> None:
    """What intake loses while the file is downloaded again and again."""

    async def export_on() -> None:
        while True:
            await export(client, headers, found, pid)

    alone = await intake(platform, INTAKE)
    exporting = asyncio.create_task(export_on())
    await asyncio.sleep(0.5)
    shared = await intake(platform, INTAKE)
    assert not exporting.done()
    exporting.cancel()
    print(f"  intake: {alone:,.0f} rows/s alone, {shared:,.0f} beside an export ({shared / alone:.2f} ×)", flush=True)


async def measure(sizes: list[int], policyholders: int) -> None:
    """For each size of the table."""
    async with stage() as platform:
        process = await serve(platform, platform.settings("audit", port=PORT))
        headers = platform.headers(administrator(LARGEST))
        timeout = aiohttp.ClientTimeout(total=None)
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{PORT}", timeout=timeout) as client:
                await ready(client)
                found: dict[str, Any] = {}
                for rows in sizes:
                    rate = await fill(platform.owner_database("audit"), rows, policyholders, 50)
                    await written_out(platform)
                    print(f"table of {rows:,} rows (filled at {rate:,.0f} rows/s)", flush=True)
                    found = await report(platform, client, headers, process.pid)
                await beside(platform, client, headers, found, process.pid)
        finally:
            process.terminate()
            await process.wait()


async def written_out(platform: Platform) -> None:
    """All that the filling changed is on the disk: nothing of it is left to be written while something is measured."""
    server = await asyncpg.connect(platform.cluster.postgres_url)
    await server.execute("checkpoint")
    await server.close()


async def ready(client: Any) -> None:
    """Wait until the service answers and knows the ended sessions."""
    for _ in range(200):
        try:
            async with client.get("/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError


async def report(platform: Platform, client: Any, headers: Any, pid: int) -> dict[str, Any]:
    """One size: preflight, export, psql; answers what was found."""
    found, took = await preflight(client, headers, 100)
    ordered = sorted(took[5:])
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    print(f"  preflight of {found['records']:,} records: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    rounds = [(await export(client, headers, found, pid), await psql(platform, found)) for _ in range(3)]
    columns = zip(*(ours for ours, _ in rounds), strict=True)
    first, seconds, size, _ = (statistics.median(values) for values in columns)
    ratio = statistics.median(reference / ours[1] for ours, reference in rounds)
    print(
        f"  export: first byte {first * 1000:.0f} ms, {found['records'] / seconds:,.0f} rows/s, {size / 2**20:,.0f} MiB"
        f" (promised {found['bytes'] / 2**20:,.0f}), process grew {max(ours[3] for ours, _ in rounds):.0f} MiB"
    )
    reference = statistics.median(reference for _, reference in rounds)
    print(
        f"  psql COPY of the same query: {found['records'] / reference:,.0f} rows/s; ours {ratio:.2f} × in each round"
    )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--policyholders", type=int, default=1000)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.rows, chosen.policyholders))
