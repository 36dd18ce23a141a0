"""申込み through the whole stack against bare aiohttp running exactly the same statements, side by side (P2)."""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psutil
from aiohttp import web

from applications.api.submissions import Submission, _submit
from applications.settings import Clock, Settings
from chassis.sql.database import Tx, _Connection, _prepare, _write_outbox
from contracts.caller import Caller
from deploy.local.cluster import test_cluster
from deploy.local.ports import choose
from tests.support import callers
from tests.support.environments import as_environment
from tests.support.keys import Signer
from tests.support.platform import Platform

CODE = "500000001"
DRAFTS = """
insert into applications (number, day, serial, policyholder_code, procedure, state, version, content, names, created_at,
                          created_by, session_id, saved_at)
select $1 || to_char(n, 'FM00000'), $2, n, $3, 'buyer_registration', 'draft', 1,
       '{"buyer": {"name": "EXAMPLE TRADING CO., LTD.", "country": "US", "amount": 12345.67}}', '{}', now(), $4, 's',
       now()
  from generate_series($5::int, $6::int) n
"""


class Recording:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.script: list[tuple[str, str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        async def asked(query: str, *arguments: Any, **_: Any) -> Any:
            self.script.append((name, query, arguments))
            return await getattr(self.connection, name)(query, *arguments)

        return asked


async def recorded(dsn: str, number: str, caller: Caller) -> list[tuple[str, str, tuple[Any, ...]]]:
    """The statements of one real submission, with their arguments."""
    connection = await asyncpg.connect(dsn, connection_class=_Connection)
    await _prepare(connection)
    recording = Recording(connection)
    async with connection.transaction():
        tx = Tx(recording)
        clock = Clock(Settings.model_construct(clock_shift_seconds=0.0))
        await _submit(tx, number, Submission(version=1), caller, clock)
        await _write_outbox(recording, tx.emitted)
    await connection.close()
    return recording.script


async def serve_bare(dsn: str, number: str, port: int) -> None:
    """aiohttp and asyncpg: the recorded statements for the number in the path, and a JSON answer of the same size."""
    script = await recorded(dsn, number, callers.administrator(CODE))
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=10, connection_class=_Connection, init=_prepare)

    def swapped(argument: Any, wanted: str) -> Any:
        if isinstance(argument, list) and argument and isinstance(argument[0], UUID):
            return [uuid4()]
        if isinstance(argument, list):
            return [one.replace(number, wanted) if isinstance(one, str) else one for one in argument]
        return wanted if argument == number else argument

    async def submit(request: web.Request) -> web.Response:
        wanted = request.match_info["number"]
        body = await request.json()
        async with pool.acquire() as connection, connection.transaction():
            for name, query, arguments in script:
                await getattr(connection, name)(query, *(swapped(one, wanted) for one in arguments))
        return web.json_response({"number": wanted, "version": body["version"], "padding": "x" * 900})

    application = web.Application()
    application.router.add_post("/applications/{number}/submission", submit)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def submit_all(port: int, numbers: list[str], head: str, connections: int) -> list[float]:
    """Submit every number over keep-alive connections; seconds of each."""
    waiting, taken = iter(numbers), []
    body = json.dumps({"version": 1})

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in waiting:
            began = time.perf_counter()
            writer.write(
                f"POST /applications/{number}/submission HTTP/1.1\r\nHost: bench\r\n{head}"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(line for line in answer.split("\r\n") if line.lower().startswith("content-length"))
            content = await reader.readexactly(int(length.partition(":")[2]))
            if not answer.startswith("HTTP/1.1 200"):
                raise SystemExit(content.decode())
            taken.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one_after_another() for _ in range(connections)))
    return taken


async def reachable(port: int) -> None:
    """Wait until something listens."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


async def compare(rounds: int, submissions: int, connections: int) -> dict[str, float]:
    """Rounds in turn; medians and their ratio."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        async with Signer().published() as signer, Platform(cluster, Path(folder), signer) as platform:
            ports, processes = {"bare": choose(set()), "ours": choose(set())}, []
            prefix = f"{date.today():%Y-%m%d}-"  # noqa: DTZ011 - any day does
            caller = callers.administrator(CODE)
            owner = await asyncpg.connect(platform.owner_database("applications"))
            total = 1 + 2 * (rounds + 1) * submissions
            day = datetime.now(UTC).date()
            await owner.execute(DRAFTS, prefix, day, CODE, caller.operator.user_id, 1, total)
            numbers = [f"{prefix}{serial:05d}" for serial in range(1, total + 1)]
            try:
                processes = start(platform, ports, numbers.pop())
                for port in ports.values():
                    await reachable(port)
                await asyncio.sleep(3)  # ended sessions must be known first
                return await measure(platform, caller, ports, processes, numbers, rounds, submissions, connections)
            finally:
                for process in processes:
                    process.terminate()
                    process.wait()
                await owner.close()


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of processor time that a process has used; says more than the clock on a machine that others use too."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


async def measure(
    platform: Platform, caller: Caller, ports: dict[str, int], processes: list[subprocess.Popen[bytes]],
    numbers: list[str], rounds: int, many: int, wide: int,
) -> dict[str, float]:  # fmt: skip
    """A round to warm up, then the rounds that count."""
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    slowest: dict[str, list[float]] = {"bare": [], "ours": []}
    head = "".join(f"{name}: {value}\r\n" for name, value in platform.headers(caller).items())
    used: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(rounds + 1):
        for (kind, port), process in zip(ports.items(), processes, strict=True):
            some = [numbers.pop() for _ in range(many)]
            began, burnt = time.perf_counter(), cpu(process)
            taken = sorted(await submit_all(port, some, head, wide))
            if turn:
                rates[kind].append(many / (time.perf_counter() - began))
                used[kind].append((cpu(process) - burnt) / many)
                slowest[kind].append(taken[int(many * 0.99)])
    rate = {kind: statistics.median(found) for kind, found in rates.items()}
    return {
        "bare_per_second": round(rate["bare"]),
        "ours_per_second": round(rate["ours"]),
        "ours_of_bare": round(statistics.median(o / b for o, b in zip(rates["ours"], rates["bare"], strict=True)), 3),
        "bare_p99_ms": round(statistics.median(slowest["bare"]) * 1000, 1),
        "ours_p99_ms": round(statistics.median(slowest["ours"]) * 1000, 1),
        "bare_cpu_ms": round(statistics.median(used["bare"]) * 1000, 2),
        "ours_cpu_ms": round(statistics.median(used["ours"]) * 1000, 2),
    }


def start(platform: Platform, ports: dict[str, int], number: str) -> list[subprocess.Popen[bytes]]:
    """Each in a process of its own."""
    settings = platform.settings("applications", port=ports["ours"], log_level="ERROR")
    environment = os.environ | as_environment(settings)
    bare = ["-m", "bench.submissions", "--serve", settings.database_url, number, str(ports["bare"])]
    return [
        subprocess.Popen([sys.executable, *bare]),
        subprocess.Popen([sys.executable, "-m", "applications", "serve"], env=environment),
    ]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, metavar=("DSN", "NUMBER", "PORT"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--submissions", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    import uvloop

    if options.serve:
        dsn, number, port = options.serve
        uvloop.run(serve_bare(dsn, number, int(port)))
    else:
        print(json.dumps(uvloop.run(compare(options.rounds, options.submissions, options.connections)), indent=2))


if __name__ == "__main__":
    main()
