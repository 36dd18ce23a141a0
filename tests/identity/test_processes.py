"""Two processes of their own, started upon at one barrier: one effect, five comparisons, two tries (C-1 to C-7)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chassis.service import Runtime
from tests.identity.administration.test_in_force import applicant_of, change_of
from tests.identity.people import Answer, People, Person
from tests.identity.test_one_time_passwords import enter, gated, issue, other_than
from tests.identity.test_races import at_once
from tests.support import sealing
from tests.support.platform import Platform
from tests.support.processes import Process, serving
from tests.support.scale import scaled

again = pytest.mark.parametrize("round_", range(scaled(1, 25)))
COMPARISONS = re.compile(r"^password_comparisons_total (\S+)$", re.MULTILINE)
pytestmark = pytest.mark.chaos
Two = tuple[Process, Process]


@pytest.fixture(scope="module")
async def two(platform: Platform, identity: Runtime) -> AsyncIterator[Two]:
    """Two more identities on the same database, each in a process of its own."""
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(serving(platform, "identity")) for _ in range(2)]
        yield first, second


async def comparisons(people: People, two: Two) -> int:
    """Passwords that both compared with real hashes so far."""
    total = 0
    for process in two:
        async with people.client.get(f"{process.url}/metrics") as answer:
            found = COMPARISONS.search(await answer.text())
            total += int(float(found[1])) if found else 0
    return total


@again
@pytest.mark.requirement("L1", "R36", "C-2")
async def test_fifty_wrong_logins_buy_five_comparisons(people: People, two: Two, round_: int) -> None:
    person, before = await people.administrator(), await comparisons(people, two)
    answers = await at_once(50, lambda n: person.elsewhere().try_login(f"wrong {n}", to=two[n % 2]))
    assert await comparisons(people, two) - before == 5
    assert sorted(one.status for one in answers) == [401] * 4 + [403] * 46


@again
@pytest.mark.requirement("L1", "C-3")
async def test_thirty_two_right_logins_all_succeed(people: People, two: Two, round_: int) -> None:
    person = await people.administrator()
    answers = await at_once(32, lambda n: person.elsewhere().try_login(to=two[n % 2]))
    assert [one.status for one in answers] == [201] * 32


async def enter_at_once(two: Two, person: Person, codes: list[str]) -> list[Answer]:
    """Each code is typed once, all at the same moment."""
    path = "/one-time-passwords/entries"
    return await at_once(len(codes), lambda n: person.ask("POST", path, to=two[n % 2], json={"code": codes[n]}))


@again
@pytest.mark.requirement("O1", "C-1")
async def test_sixty_four_right_entries_succeed_once(people: People, two: Two, round_: int) -> None:
    person = await gated(people)
    answers = await enter_at_once(two, person, [await issue(person)] * 64)
    assert sorted(one.status for one in answers) == [200] + [409] * 63


@again
@pytest.mark.requirement("O1", "R334", "C-1")
async def test_sixty_three_wrong_entries_and_a_right_one_buy_two_tries(people: People, two: Two, round_: int) -> None:
    person = await gated(people)
    code = await issue(person)
    codes = [other_than(str((int(code) + number) % 10**8)) for number in range(63)]
    codes.insert(round_ % 64, code)
    answers = await enter_at_once(two, person, codes)
    tries = "select tries from one_time_passwords where session_id = $1"
    assert await people.behind.fetchval(tries, person.session_id) <= 2
    assert sum(one.status == 200 for one in answers) <= 1
    assert sum(one.status == 403 for one in answers) <= 1
    assert (await enter(person, code)).status == 409


@again
@pytest.mark.requirement("O1", "C-1")
async def test_an_old_code_never_opens_after_a_new_issue_was_answered(people: People, two: Two, round_: int) -> None:
    person = await gated(people)
    old = await issue(person)
    await issue(person)
    answers = await enter_at_once(two, person, [old] * 16)
    assert {one.status for one in answers} <= {403, 409}


@again
@pytest.mark.requirement("O1", "R320", "C-1")
async def test_nothing_opens_after_the_expiry_by_the_databases_clock(people: People, two: Two, round_: int) -> None:
    person = await gated(people)
    code = await issue(person)
    lapse = "update one_time_passwords set expires_at = clock_timestamp() where session_id = $1"
    await people.behind.execute(lapse, person.session_id)
    assert {one.status for one in await enter_at_once(two, person, [code] * 16)} == {409}


@again
@pytest.mark.requirement("C-6", "E3")
async def test_sixty_four_confirmations_of_an_address_have_one_effect(people: People, two: Two, round_: int) -> None:
    person = await people.administrator()
    own = (await person.ask("GET", "/administrator")).body
    wish = {name: own[name] for name in ("version", "name", "phone", "department", "title", "one_time_password")}
    wish |= {"email": "new@sample.com", "current_password": person.password}
    assert (await person.ask("PUT", "/administrator", json=wish)).status == 200
    mail = await people.mails.next(template="email_confirmation", about_user_id=person.user_id)
    body, path = {"token": sealing.secret_of(mail).partition("#token=")[2]}, "/email-changes/confirmation"
    answers = await at_once(64, lambda n: person.ask("POST", path, to=two[n % 2], json=body))
    assert sorted(one.body["state"] for one in answers) == ["already_done"] * 63 + ["done"]
    assert (await person.ask("GET", "/administrator")).body["version"] == own["version"] + 2


@again
@pytest.mark.requirement("C-7")
async def test_of_sixteen_editors_one_wins_and_nothing_is_lost(people: People, two: Two, round_: int) -> None:
    administrator = await people.administrator()
    person, shown = await applicant_of(people, administrator)
    path = f"/applicants/{person.user_id}"
    wishes = [change_of(shown, name=f"編集者{number}") for number in range(16)]
    answers = await at_once(16, lambda n: administrator.ask("PUT", path, to=two[n % 2], json=wishes[n]))
    assert sorted(one.status for one in answers) == [200] + [412] * 15
    (won,) = [one.body["applicant"] for one in answers if one.status == 200]
    assert (await administrator.ask("GET", path)).body == won
