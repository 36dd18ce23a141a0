"""Whatever comes at once at two processes: five comparisons, two tries, one success, and nothing after the answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from chassis.service import Runtime
from chassis.sql import Reader, Tx
from identity.api import one_time_passwords as doors
from identity.hashing import Hasher
from identity.store import attempts, logins, one_time_passwords, users
from tests.identity.conftest import trust
from tests.identity.people import Answer, People, Person
from tests.identity.test_one_time_passwords import enter, gated, issue, other_than
from tests.support import sealing, unique
from tests.support.eventually import eventually


@pytest.fixture
async def second(people: People) -> AsyncIterator[Runtime]:
    """Another process of the service, as it were."""
    async with people.platform.running("identity") as runtime:
        await trust(people.platform, runtime)
        yield runtime


async def at_once(times: int, work: Callable[[int], Awaitable[Answer]]) -> list[Answer]:
    """Let all wait at one barrier, then go."""
    barrier = asyncio.Barrier(times)

    async def go(number: int) -> Answer:
        await barrier.wait()
        return await work(number)

    return list(await asyncio.gather(*map(go, range(times))))


def comparisons(*runtimes: Runtime) -> int:
    """Passwords compared with real hashes so far."""
    hashers = [runtime.provides[Hasher] for runtime in runtimes]
    return sum(hasher.comparisons for hasher in hashers if isinstance(hasher, Hasher))


async def guess(person: Person, times: int, first: Runtime, second: Runtime) -> tuple[int, list[Answer]]:
    """Wrong logins at both processes at once; how many comparisons they bought, and the answers."""
    before = comparisons(first, second)
    answers = await at_once(
        times, lambda n: person.elsewhere().try_login(f"wrong wrong {n}", to=(first, second)[n % 2])
    )
    return comparisons(first, second) - before, answers


@pytest.mark.requirement("L1", "C-2", "R36")
async def test_fifty_wrong_logins_at_once_buy_five_comparisons(people: People, second: Runtime) -> None:
    person = await people.administrator()
    bought, answers = await guess(person, 50, people.identity, second)
    assert bought == 5
    assert sorted(one.status for one in answers) == [401] * 4 + [403] * 46
    assert (await person.try_login()).status == 403


@pytest.mark.requirement("L1", "C-2")
async def test_without_the_reservation_they_would_buy_more(
    people: People, second: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_then_count(reader: Reader, user_id: str, most: int) -> dict[str, Any]:
        """The mutant: it looks first and counts only what failed."""
        await reader.execute(
            "insert into login_attempts (user_id, reserved_until) values ($1, now()) on conflict do nothing", user_id
        )
        row = await reader.fetchrow("select failed, epoch from login_attempts where user_id = $1", user_id)
        epoch = None if row["failed"] >= most else row["epoch"]
        return {**await logins.candidate(reader, user_id), "epoch": epoch}

    monkeypatch.setattr(logins, "reserved", look_then_count)
    bought, _ = await guess(await people.administrator(), 50, people.identity, second)
    assert bought > 5


@pytest.mark.requirement("L1", "C-3")
async def test_thirty_two_right_logins_at_once_all_succeed(people: People, second: Runtime) -> None:
    person = await people.administrator()
    answers = await at_once(32, lambda n: person.elsewhere().try_login(to=(people.identity, second)[n % 2]))
    assert [one.status for one in answers] == [201] * 32
    assert len({one.body["session_token"] for one in answers}) == 32


@pytest.mark.requirement("L1")
async def test_the_reservation_of_a_process_that_died_is_void_after_a_minute(people: People) -> None:
    user_id = f"{unique.policyholder_code()}000"
    database = people.identity.database
    epochs = [(await logins.reserved(database, user_id, 5))["epoch"] for _ in range(6)]
    assert epochs == [0] * 5 + [None]
    await people.behind.execute("update login_attempts set reserved_until = now() where user_id = $1", user_id)
    assert (await logins.reserved(database, user_id, 5))["epoch"] == 1
    async with database.transaction() as tx:
        assert await attempts.fail(tx, user_id, 0, 5, timedelta(minutes=30)) is None, "the late result does not count"
        assert (await attempts.fail(tx, user_id, 1, 5, timedelta(minutes=30)))["failed"] == 1


@pytest.mark.requirement("L1", "L7")
async def test_a_login_and_the_end_of_a_lock_never_wait_for_each_other(people: People) -> None:
    person = await people.administrator()
    async with people.identity.database.transaction() as tx:
        await users.lock(tx, person.user_id)
        holder = await tx.fetchval("select pg_backend_pid()")
        login = asyncio.create_task(person.elsewhere().try_login())

        async def waits() -> bool:
            query = "select exists (select from pg_locks where $1 = any(pg_blocking_pids(pid)))"
            return bool(await people.behind.fetchval(query, holder))

        await eventually(waits)
        await attempts.clear(tx, person.user_id)
    assert (await login).status == 201, "compared again, as its reservation is void"


@asynccontextmanager
async def evaluated(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[bool]]:
    """Count the comparisons of one-time passwords."""
    results: list[bool] = []
    real = doors._verifies

    def counted(*arguments: Any) -> bool:
        results.append(real(*arguments))
        return results[-1]

    monkeypatch.setattr(doors, "_verifies", counted)
    yield results


@pytest.mark.requirement("O1", "C-1")
async def test_sixty_four_right_entries_at_once_succeed_once(
    people: People, second: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await gated(people)
    code = await issue(person)

    async def try_at(number: int) -> Answer:
        runtime = (people.identity, second)[number % 2]
        return await person.ask("POST", "/one-time-passwords/entries", to=runtime, json={"code": code})

    async with evaluated(monkeypatch) as results:
        answers = await at_once(64, try_at)
    assert sorted(one.status for one in answers) == [200] + [409] * 63
    assert results == [True]


async def storm(people: People, second: Runtime, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bool], list[Answer]]:
    """63 wrong entries and the right one, at both processes at once."""
    person = await gated(people)
    code = await issue(person)

    async def one(number: int) -> Answer:
        typed = code if number == 40 else other_than(str((int(code) + number) % 10**8))
        runtime = (people.identity, second)[number % 2]
        return await person.ask("POST", "/one-time-passwords/entries", to=runtime, json={"code": typed})

    async with evaluated(monkeypatch) as results:
        answers = await at_once(64, one)
    return results, answers


@pytest.mark.requirement("O1", "R334", "C-1")
async def test_sixty_three_wrong_entries_and_a_right_one_buy_two_evaluations(
    people: People, second: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, answers = await storm(people, second, monkeypatch)
    assert len(results) <= 2
    assert sum(one.status == 200 for one in answers) == results.count(True)


@pytest.mark.requirement("O1", "C-1")
async def test_counting_after_the_look_would_buy_more(
    people: People, second: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_then_count(tx: Tx, session_id: str) -> Any:
        """The mutant: it looks whether a try is left and counts afterwards."""
        row = await tx.fetchrow(
            "select issue, verifier, tries + 1 as tries, expires_at > now() as alive from one_time_passwords"
            " where session_id = $1 and tries < 2 and used_at is null",
            session_id,
        )
        await tx.execute("update one_time_passwords set tries = tries + 1 where session_id = $1", session_id)
        return row

    monkeypatch.setattr(one_time_passwords, "count_try", look_then_count)
    results, _ = await storm(people, second, monkeypatch)
    assert len(results) > 2


@pytest.mark.requirement("O1", "C-1")
async def test_an_old_code_never_opens_after_a_new_issue_was_answered(people: People, second: Runtime) -> None:
    person = await gated(people)
    codes = [await issue(person)]
    for _ in range(4):
        answers = await asyncio.gather(
            person.ask("POST", "/one-time-passwords"),
            person.ask("POST", "/one-time-passwords/entries", to=second, json={"code": "00000000"}),
        )
        assert answers[0].status == 202
        mail = await people.mails.next(template="one_time_password", about_user_id=person.user_id)
        codes.append(sealing.secret_of(mail))
        assert (await enter(person, codes[-2])).status in (403, 409)
