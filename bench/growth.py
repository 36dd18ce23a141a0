"""The same questions beside few and beside ten times as many others: policyholders, users, applications, rows (P11)."""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import uvloop

from audit.rules.windows import JAPAN
from bench.hops import submitted
from deploy.local.cluster import test_cluster
from deploy.local.outsiders import Person
from tests.applications.fronts import ACCOUNT
from tests.portal.desks import Town, User, opened
from tests.support.keys import Signer
from tests.support.platform import Platform
from tests.support.whole import whole_platform

GOAL = 1.3
OWN = 30
"""Applicants, applications and accounts of the policyholder who asks, and of every other one."""

_ID = "md5(one.id::text || n)::uuid"
_ACCOUNT = "md5(one.account_id::text || n)::uuid"
_DAY = "(current_date - 1 - n % 700)"  # the numbers of a day are few, the list shows two years
_SERIAL = "(n / 700 * 1000 + split_part(one.number, '-', 3)::int)"
_NUMBER = f"to_char({_DAY}, 'YYYY-MMDD-') || to_char({_SERIAL}, 'FM0000')"
_OF_MAIL = _NUMBER.replace("one.number", "one.application_number")

OTHERS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "identity": {
        "companies": {},
        "users": {},
        "sessions": {"session_id": "one.session_id || n", "token_hash": "sha256((one.session_id || n)::bytea)"},
        "logins": {},
    },
    "applications": {
        "profiles": {},
        "applications": {"number": _NUMBER, "day": _DAY, "serial": _SERIAL, "account_id": _ACCOUNT},
        "steps": {"number": _NUMBER},
    },
    "accounts": {
        "policyholders": {},
        "profiles": {},
        "bank_accounts": {"id": _ID},
        "account_procedures": {"number": _NUMBER, "account_id": _ACCOUNT},
        "account_versions": {"number": _NUMBER, "account_id": _ACCOUNT},
    },
    "notifier": {
        "addresses": {},
        "mails": {"id": _ID, "application_number": _OF_MAIL, "secret": "null", "secret_place": "null"},
    },
    "audit": {
        "history": {"id": _ID, "number": "-(n * 10000 + one.number)"},
        "days": {},
    },
}
"""What another policyholder has like ours: the tables, and in each the columns that must differ, beside every text with
the policyholder code, over the row `one` of ours and the number `n` of the other."""

COPY = """
insert into {table} overriding user value
select made.*
  from ours.{table} one, generate_series($2::int, $3::int) n,
       jsonb_populate_record(null::{table},
           replace(to_jsonb(one)::text, $1, (200000000 + n)::text)::jsonb || jsonb_build_object({changed})) made
 where coalesce(to_jsonb(one) ->> 'policyholder_code', $1) = $1  -- what operators did belongs to nobody
"""


async def keep_ours(platform: Platform) -> None:
    """Keep what there is as long as it is only ours: all others are made of it."""
    for service, tables in OTHERS.items():
        async with platform.owner(service) as database, database.transaction() as tx:
            await tx.execute("create schema ours")
            for table in tables:
                await tx.execute(f"create table ours.{table} as table {table}")


async def add_others(platform: Platform, ours: str, first: int, last: int) -> None:
    """Policyholders beside ours with as much as ours has, from one number to another."""
    for service, tables in OTHERS.items():
        async with platform.owner(service) as database:
            for table, columns in tables.items():
                changed = ", ".join(f"'{column}', {new}" for column, new in columns.items())
                async with database.transaction(statement_seconds=1800) as tx:
                    await tx.execute(COPY.format(table=table, changed=changed), ours, first, last)
                    await tx.execute(f"analyze {table}")


async def settle(town: Town) -> User:
    """A policyholder with applicants, applications and accounts."""
    admin = await town.administrator()
    for number in range(OWN):
        wish = {
            "email": f"a{number}@sample.com", "name": "貿易　花子", "entry": "enter", "contract_data": "none",
            "application_data": "own",
        }  # fmt: skip
        await admin.person.call("POST", "identity", "/applicants", json=wish)
        await submitted(admin.person)
        await register_account(admin.person, number)
        await admin.person.refresh()
    return admin


async def register_account(person: Person, number: int) -> None:
    """A bank account, by its procedure."""
    content = ACCOUNT | {"bank_code": "9985", "branch_code": "101", "account_number": f"{number:07d}"}
    wish = {"procedure": "account_registration", "content": content}
    draft = await person.call("POST", "applications", "/applications", json=wish)
    path = f"/applications/{draft['number']}/submission"
    await person.call("POST", "applications", path, json={"version": draft["version"]})


Question = Callable[[], Awaitable[Any]]


def questions(admin: User) -> dict[str, Question]:
    """What is asked again and again, always with the same answer or the same effect."""
    person, today = admin.person, f"{datetime.now(JAPAN).date()}"

    def get(service: str, path: str) -> Question:
        return lambda: person.call("GET", service, path)

    async def search() -> None:
        wish = {"first_day": today, "last_day": today}
        found = await person.call("POST", "audit", "/access-history/searches", json=wish)
        await person.call("GET", "audit", f"/access-history/searches/{found['id']}/csv")

    return {
        "menu": get("identity", "/menu"),
        "applicants": get("identity", "/applicants"),
        "applications": get("applications", "/applications"),
        "accounts": get("accounts", "/accounts"),
        "account history": get("accounts", "/account-history"),
        "profile": get("accounts", "/profile"),
        "mails": get("notifier", "/company/mails"),
        "own history": get("audit", "/own-history"),
        "security trail": get("audit", "/security-trail"),
        "search and CSV": search,
        "submission": lambda: submitted(person),
        "access token": person.refresh,
    }


async def medians(asked: Mapping[str, Question], times: int) -> dict[str, float]:
    """Seconds; the questions take turns, and the first two rounds do not count."""
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(times + 2):
        for name, ask in asked.items():
            started = time.perf_counter()
            await ask()
            if number >= 2:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(one) for name, one in taken.items()}


async def main(others: int, times: int) -> None:
    """Ask beside the others, add nine times as many, and ask again."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        async with (
            Signer().published() as signer,
            whole_platform(cluster, signer, Path(folder)) as place,
            opened(*place) as town,
        ):
            admin = await settle(town)
            await asyncio.sleep(2)  # until everything of it is in every service
            await keep_ours(town.platform)
            asked = questions(admin)
            found = []
            for first, last in ((1, others), (others + 1, 10 * others)):
                began = time.perf_counter()
                await add_others(town.platform, admin.code, first, last)
                print(f"{last} others, {time.perf_counter() - began:.0f} s", flush=True)
                found.append(await medians(asked, times))
            show(*found)


def show(few: Mapping[str, float], many: Mapping[str, float]) -> None:
    """The medians side by side."""
    print(f"{'question':18}{'ms':>8}{'ms, ten times the others':>26}{'ratio':>8}   (goal {GOAL})")
    for name, seconds in few.items():
        ratio = many[name] / seconds
        print(f"{name:18}{seconds * 1000:8.1f}{many[name] * 1000:26.1f}{ratio:8.2f}{'  MORE' if ratio > GOAL else ''}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=int, default=500, help="policyholders at first; 30 users each")
    parser.add_argument("--times", type=int, default=30)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.others, chosen.times))
