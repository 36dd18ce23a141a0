"""What the time of an answer tells of an ID: known, unknown, disabled and locked ones at login and reissue (G-1)."""

import argparse
import asyncio
import math
import random
import statistics
from collections.abc import Awaitable, Callable

from bench.desk import DISABLED, ENABLED, UNKNOWN, USERS, Desk, address, opened, user

WRONG = "wrong wrong wrong"
KINDS = {"known": ENABLED, "unknown": UNKNOWN, "disabled": DISABLED}
Ask = Callable[[int], Awaitable[float]]


def logins(desk: Desk, status: int) -> dict[str, Ask]:
    """Wrong logins for every kind of ID: alike in everything but whether the ID exists and may log in."""

    def of(kind: int) -> Ask:
        async def once(number: int) -> float:
            async def ask() -> int:
                return (await desk.log_in(user(number, kind), WRONG))[0]

            return await desk.timed(ask, status)

        return once

    return {name: of(kind) for name, kind in KINDS.items()}


def reissues(desk: Desk) -> dict[str, Ask]:
    """Requests for a new password, with the registered address or another one."""

    def of(kind: int, right: bool) -> Ask:
        async def once(number: int) -> float:
            user_id = user(number, kind)
            email = address(user_id) if right else address("another")
            return await desk.timed(lambda: desk.reissue(user_id, email), 202)

        return once

    asks = {name: of(kind, True) for name, kind in KINDS.items()}
    return asks | {"known, other address": of(ENABLED, False)}


def afterwards(desk: Desk) -> dict[str, Ask]:
    """The request that follows one for a new password, while that is worked on."""

    def after(ask: Ask) -> Ask:
        async def once(number: int) -> float:
            await ask(number)
            return await desk.timed(desk.live, 200)

        return once

    return {name: after(ask) for name, ask in reissues(desk).items()}


async def compare(title: str, asks: dict[str, Ask], rounds: int) -> None:
    """Medians by kind, every kind once a round in shuffled turns; the doubt is what such a run cannot tell apart."""
    seconds: dict[str, list[float]] = {name: [] for name in asks}
    for number in range(rounds):
        for name in random.sample(list(asks), len(asks)):
            seconds[name].append(await asks[name](number))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    least = min(medians.values())
    spread = (max(medians.values()) - least) / least
    doubt = max(error(values) for values in seconds.values()) * math.sqrt(2) / least
    shown = ", ".join(f"{name} {value * 1000:.2f} ms" for name, value in medians.items())
    print(f"G-1 {title}: {shown}: {spread:.1%} apart, doubt {doubt:.1%} (bar 2 %)", flush=True)


def error(values: list[float]) -> float:
    """The standard error of the median, from the order statistics around it."""
    inside, count = sorted(values), len(values)
    reach = math.sqrt(count) / 2
    return (inside[min(count - 1, math.ceil(count / 2 + reach))] - inside[math.floor(count / 2 - reach)]) / 2


async def lock_all(desk: Desk) -> None:
    """Every ID is locked from now on, whether it exists or not."""
    ids = [user(number, kind) for number in range(USERS) for kind in KINDS.values()]
    await desk.database.execute(
        "insert into login_attempts (user_id, reserved_until, locked_until)"
        " select id, now(), now() + interval '1 day' from unnest($1::text[]) as id"
        " on conflict (user_id) do update set locked_until = excluded.locked_until",
        ids,
    )


async def measure(rounds: int) -> None:
    """Print the medians of every kind, and how far they are apart."""
    async with opened() as desk:
        await compare("warming up", logins(desk, 401), 30)
        await compare("wrong login", logins(desk, 401), rounds)
        await lock_all(desk)
        await compare("login while locked", logins(desk, 403), rounds)
        await compare("reissue", reissues(desk), 2 * rounds)
        await compare("request after a reissue", afterwards(desk), 2 * rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    asyncio.run(measure(parser.parse_args().rounds))
