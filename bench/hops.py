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


async def history_rows(person: Person) -> int:
    """How many submissions one's own history shows."""
    shown = await person.call("GET", "audit", "/own-history", params={"limit": "200"})
    return sum(row["operation"] == "3-2" for row in shown)


async def measure(times: int) -> None:
    """Submit one after the other, and watch."""
    rows, mails = [], []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        person, address = await administrator(Outside(demand(open_state()), http))
        for count in range(1, times + 1):
            number = await submitted(person)
            began = time.perf_counter()
            while await history_rows(person) < count:
                pass
            rows.append((time.perf_counter() - began) * 1000)
            await person.outside.mail_to(address, f"申込受付のお知らせ（{number}）")
            mails.append((time.perf_counter() - began) * 1000)
    for what, taken in (("submit → row in the history", rows), ("submit → receipt mail in the inbox", mails)):
        p99 = statistics.quantiles(taken, n=100)[98]
        print(f"{what:<36} median {statistics.median(taken):7.0f} ms   p99 {p99:7.0f} ms   ({times} times)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    asyncio.run(measure(parser.parse_args().times))
