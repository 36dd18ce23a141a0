"""Password logins against the machine's Argon2 limit, and what others wait meanwhile (P3)."""

import argparse
import asyncio
import itertools
import multiprocessing
import os
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp

from bench.desk import OWASP, PASSWORD, Desk, opened, user


def burn(times: int) -> None:
    """Check a password on one core."""
    known = OWASP.hash(PASSWORD)
    for _ in range(times):
        OWASP.verify(known, PASSWORD)


def limit(times: int = 60) -> float:
    """Checks a second with every core busy (Argon2 lets go of the interpreter): nothing can log in faster."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        started = time.perf_counter()
        list(pool.map(burn, [times] * cores))
        return cores * times / (time.perf_counter() - started)


async def rate(desk: Desk, logins: int) -> float:
    """Logins a second with eight at a time: the threads never wait for work."""
    numbers = iter(range(logins))

    async def worker() -> None:
        for number in numbers:
            if (await desk.log_in(user(number), PASSWORD))[0] != 201:
                raise SystemExit("a login failed")

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(8)))
    return logins / (time.perf_counter() - started)


def flood(url: str, rate_: float, seconds: float) -> None:
    """Start logins at this rate, whatever becomes of them; in a process of its own, so that readers wait for nobody."""

    async def run() -> None:
        loop, tasks = asyncio.get_running_loop(), set()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            desk, until = Desk(url, client, None), loop.time() + seconds
            for number in itertools.count():
                task = asyncio.create_task(desk.log_in(user(number), PASSWORD))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                if loop.time() > until:
                    break
                await asyncio.sleep(random.expovariate(rate_))
            await asyncio.gather(*tasks)

    asyncio.run(run())


async def flooded(desk: Desk, token: str, reads: int, offered: float) -> list[float]:
    """Seconds of reads while logins are started at this rate."""
    process = multiprocessing.get_context("spawn").Process(target=flood, args=(desk.url, offered, 12))
    process.start()
    await asyncio.sleep(4)
    seconds = [await desk.timed(lambda: desk.me(token), 200) for _ in range(reads)]
    if not process.is_alive():
        raise SystemExit("the flood was over before the reads")
    await asyncio.to_thread(process.join)
    return seconds


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return sorted(values)[int(len(values) * 0.99)]


async def measure(rounds: int) -> None:
    """Print every figure beside its limit."""
    async with opened() as desk:
        await rate(desk, 20)
        ratios, best = [], 0.0
        for _ in range(rounds):
            most = await asyncio.to_thread(limit)
            ours = await rate(desk, 200)
            ratios.append(ours / most)
            best = max(best, ours)
            print(f"Argon2 limit {most:6.1f}/s   logins {ours:6.1f}/s   ratio {ours / most:.2f}")
        print(f"P3: {statistics.median(ratios):.2f} of the limit (goal 0.85)")
        token = await desk.token(user(0))
        idle = [await desk.timed(lambda: desk.me(token), 200) for _ in range(500)]
        busy = await flooded(desk, token, 500, 10 * best)
        times = p99(busy) / p99(idle)
        print(f"P3: other routes' p99 {p99(idle) * 1000:.1f} ms idle, {p99(busy) * 1000:.1f} ms at ten times overload")
        print(f"    {times:.1f} times (goal 5)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(measure(parser.parse_args().rounds))
