"""One authenticated read through the whole HTTP layer against bare aiohttp with the same SELECT, side by side (P1)."""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import asyncpg
from aiohttp import web

from chassis.http import Header, Routes, Unauthenticated, View, build_application, serve
from chassis.sql import Database
from deploy.local.cluster import test_cluster

QUERY = "select number, name, amount from bench_things where number = $1"
TOKEN = "Bearer " + "x" * 600
REQUEST = f"GET /things/%d HTTP/1.1\r\nHost: bench\r\nAuthorization: {TOKEN}\r\nAccept: application/json\r\n\r\n"
ROWS = 10_000


class Permission(StrEnum):
    """What the bench's caller may do."""

    READ = "read"


@dataclass(frozen=True)
class Caller:
    """Somebody whose token was verified before."""

    may: frozenset[str]
    stepped_up: bool


class Thing(View):
    """One row."""

    number: int
    name: str
    amount: int


routes = Routes("things")


@routes.get("/things/{number}", needs=Permission.READ)
async def read_thing(
    number: int, caller: Caller, database: Database, key: Annotated[str | None, Header("Idempotency-Key")] = None
) -> Thing:
    """One thing."""
    return Thing(**await database.fetchrow(QUERY, number))


async def ours(dsn: str) -> web.Application:
    """Token, permission, validation, one SELECT, an exact answer, counters."""
    known = {TOKEN: Caller(frozenset({Permission.READ}), True)}

    async def authenticate(request: web.Request) -> Caller:
        caller = known.get(request.headers.get("Authorization", ""))
        if caller is None:
            raise Unauthenticated
        return caller

    database = await Database.connect(dsn, source="bench", size=10)
    return build_application(
        name="bench", title="Bench", version="1", routes=[routes], caller_type=Caller,
        authenticate=authenticate, database=database,
    )  # fmt: skip


async def bare(dsn: str) -> web.Application:
    """aiohttp and asyncpg as quick as they go: no reset query, no check of anything."""

    class Connection(asyncpg.Connection):
        def get_reset_query(self) -> str:
            return ""

    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=10, connection_class=Connection)

    async def read(request: web.Request) -> web.Response:
        row: Any = await pool.fetchrow(QUERY, int(request.match_info["number"]))
        return web.json_response({"number": row["number"], "name": row["name"], "amount": row["amount"]})

    application = web.Application()
    application.router.add_get("/things/{number}", read)
    return application


class Client(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it was answered."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.seconds: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        if self.began > self.until:
            self.transport.close()
            self.done.set_result(None)
        else:
            self.transport.write((REQUEST % (len(self.seconds) % ROWS)).encode())

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200") or not data.endswith(b"}"):
            raise SystemExit(data.decode())
        self.seconds.append(time.perf_counter() - self.began)
        self.ask()


async def load(port: int, seconds: float, connections: int) -> list[float]:
    """Latencies of all requests of one round."""
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(lambda: Client(until), "127.0.0.1", port))[1] for _ in range(connections)]
    await asyncio.gather(*(client.done for client in clients))
    return [second for client in clients for second in client.seconds]


@asynccontextmanager
async def server(kind: str, dsn: str) -> AsyncIterator[int]:
    """This script again, as a server process; answers its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.http", "--serve", kind, dsn, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def run_server(kind: str, dsn: str) -> None:
    """Print the port and serve until terminated."""
    if kind == "bare":
        runner = web.AppRunner(await bare(dsn), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
    else:
        print((await serve(await ours(dsn), "127.0.0.1", 0)).port, flush=True)
    await asyncio.Event().wait()


async def compare(rounds: int, seconds: float, connections: int) -> dict[str, float]:
    """A database of its own on the test cluster for the length of the measurement."""
    with test_cluster() as cluster:
        dsn = await cluster.create_database("bench")
        try:
            return await measure(dsn, rounds, seconds, connections)
        finally:
            await cluster.drop_database(dsn)


async def measure(dsn: str, rounds: int, seconds: float, connections: int) -> dict[str, float]:
    """Rounds in turn, after one to warm up; medians, and the two ratios of the goal."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("create table bench_things (number int primary key, name text, amount int)")
    await connection.execute(f"insert into bench_things select n, 'thing ' || n, n from generate_series(0, {ROWS}) n")
    await connection.close()
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    slowest: dict[str, list[float]] = {"bare": [], "ours": []}
    async with server("bare", dsn) as bare_port, server("ours", dsn) as our_port:
        for turn in range(rounds + 1):
            for kind, port in (("bare", bare_port), ("ours", our_port)):
                taken = sorted(await load(port, seconds, connections))
                if turn:
                    rates[kind].append(len(taken) / seconds)
                    slowest[kind].append(taken[int(len(taken) * 0.99)])
    rate = {kind: statistics.median(found) for kind, found in rates.items()}
    p99 = {kind: statistics.median(found) for kind, found in slowest.items()}
    return {
        "bare_per_second": round(rate["bare"]),
        "ours_per_second": round(rate["ours"]),
        "ours_of_bare": round(statistics.median(o / b for o, b in zip(rates["ours"], rates["bare"], strict=True)), 3),
        "bare_p99_ms": round(p99["bare"] * 1000, 2),
        "ours_p99_ms": round(p99["ours"] * 1000, 2),
        "p99_of_bare": round(p99["ours"] / p99["bare"], 2),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("KIND", "DSN"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    import uvloop

    if options.serve:
        uvloop.run(run_server(*options.serve))
    else:
        print(json.dumps(uvloop.run(compare(options.rounds, options.seconds, options.connections)), indent=2))


if __name__ == "__main__":
    main()
