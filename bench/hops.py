"""On the running platform: from a submission until its history row is seen, and until its receipt mail is there."""

import argparse
import asyncio
import secrets
import statistics
import time

import aiohttp

from deploy.local.operations import demand
from deploy.local.outsiders import Outside, Person, secret_in
from deploy.local.seed import first_login, head_office
from deploy.local.state import open_state


async def administrator(outside: Outside) -> tuple[Person, str]:
    """A new policyholder's administrator, and the address of their mails."""
    code = f"{secrets.randbelow(900_000_000) + 100_000_000}"
    mail = f"bench-{code}@sample.com"
    await outside.say(head_office(code, mail))
    person, _ = await first_login(outside, f"{code}000", secret_in(await outside.letter_to(f"{code}000")))
    return person, mail


async def submitted(person: Person) -> str:
    """One application of the catalogue, confirmed and submitted; answers its number."""
    wish = {"procedure": "individual_new", "content": {"goods": "machine"}}
    draft = await person.call("POST", "applications", "/applications", json=wish)
    path = f"/applications/{draft['number']}/submission"
    await person.call("POST", "applications", path, json={"version": draft["version"]})
    return str(draft["number"])


async def seen(person: Person, known: set[str]) -> None:
    """Wait until one's own history shows the newest submission; the time between two looks is part of the figure."""
    while True:
        (newest,) = (await person.call("GET", "audit", "/own-history", params={"limit": "1"}))["rows"]
        if newest["operation"] == "3-2" and newest["performed_at"] not in known:
            known.add(newest["performed_at"])
            return


async def load(outside: Outside, people: list[Person], each_second: int) -> None:
    """Other front ends report operations of other people, evenly, until cancelled."""
    async with asyncio.TaskGroup() as reports:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            for person in people:
                sent += 1
                headers = person.headers() | {"Idempotency-Key": secrets.token_hex(8)}
                wish = {"operation": "8-2"}
                reports.create_task(outside.call("POST", "audit", "/operations", json=wish, headers=headers))
                await asyncio.sleep(max(0.0, began + sent / each_second - loop.time()))


async def measure(times: int, each_second: int, mails_too: bool) -> None:
    """Submit one after the other, and watch."""
    rows: list[float] = []
    mails: list[float] = []
    known: set[str] = set()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        outside = Outside(demand(open_state()), http)
        (person, address), (other, _) = [await administrator(outside) for _ in range(2)]
        loading = asyncio.create_task(load(outside, [other], each_second)) if each_second else None
        await asyncio.sleep(2)
        for _ in range(times):
            number = await submitted(person)
            began = time.perf_counter()
            await seen(person, known)
            rows.append((time.perf_counter() - began) * 1000)
            if mails_too:
                await outside.mail_to(address, f"申込受付のお知らせ（{number}）")
                mails.append((time.perf_counter() - began) * 1000)
        if loading:
            assert not loading.done(), loading.exception()
            loading.cancel()
    print(f"beside {each_second} reported operations a second:")
    for what, taken in (("submit → row in the history", rows), ("submit → receipt mail in the inbox", mails)):
        if taken:
            p99 = statistics.quantiles(taken, n=100)[98]
            print(f"{what:<36} median {statistics.median(taken):7.0f} ms   p99 {p99:7.0f} ms   ({times} times)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--load", type=int, default=0, help="operations a second that others report meanwhile")
    parser.add_argument("--mails", action="store_true", help="watch the receipt mails too")
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.times, chosen.load, chosen.mails))
