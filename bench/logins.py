"""Password logins against the machine's Argon2 limit, and what others wait meanwhile (P3)."""

import argparse
import asyncio
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

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
    """Logins a second with four at a time."""
    numbers = iter(range(logins))

    async def worker() -> None:
        for number in numbers:
            if (await desk.log_in(user(number), PASSWORD))[0] != 201:
                raise SystemExit("a login failed")

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(4)))
    return logins / (time.perf_counter() - started)


async def flooded(desk: Desk, token: str, reads: int) -> list[float]:
    """Seconds of reads while ten times as many log in as can."""
    over = asyncio.Event()

    async def flood(number: int) -> None:
        while not over.is_set():
            if (await desk.log_in(user(number), PASSWORD))[0] == 503:
                await asyncio.sleep(0.5)

    floods = [asyncio.create_task(flood(number)) for number in range(300)]
    await asyncio.sleep(2)
    seconds = [await desk.timed(lambda: desk.me(token), 200) for _ in range(reads)]
    over.set()
    await asyncio.gather(*floods)
    return seconds


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return sorted(values)[int(len(values) * 0.99)]


async def measure(rounds: int) -> None:
    """Print every figure beside its limit."""
    async with opened() as desk:
        await rate(desk, 20)
        ratios = []
        for _ in range(rounds):
            most = await asyncio.to_thread(limit)
            ours = await rate(desk, 200)
            ratios.append(ours / most)
            print(f"Argon2 limit {most:6.1f}/s   logins {ours:6.1f}/s   ratio {ours / most:.2f}")
        print(f"P3: {statistics.median(ratios):.2f} of the limit (goal 0.85)")
        token = await desk.token(user(0))
        idle = [await desk.timed(lambda: desk.me(token), 200) for _ in range(500)]
        busy = await flooded(desk, token, 500)
        times = p99(busy) / p99(idle)
        print(f"P3: other routes' p99 {p99(idle) * 1000:.1f} ms idle, {p99(busy) * 1000:.1f} ms at ten times overload")
        print(f"    {times:.1f} times (goal 5)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(measure(parser.parse_args().rounds))
