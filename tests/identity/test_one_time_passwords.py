"""A one-time password opens its session, once, for ten minutes, after at most one mistake (R318 to R334, O1 to O4)."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.identity import OneTimePasswordEntered, OneTimePasswordIssued
from identity import access
from tests.identity.people import Answer, People, Person
from tests.support import sealing

GATED = "/sessions"


async def gated(people: People) -> Person:
    """An administrator whose company uses one-time passwords, logged in."""
    person = await people.administrator()
    await people.use_one_time_passwords(person.user_id[:9])
    await person.log_in()
    return person


async def issue(person: Person) -> str:
    """Have one issued and read the mail."""
    answer = await person.ask("POST", "/one-time-passwords")
    assert answer.status == 202, answer
    mail = await person.people.mails.next(template="one_time_password", about_user_id=person.user_id)
    return sealing.secret_of(mail)


async def enter(person: Person, code: str) -> Answer:
    """Type it in."""
    return await person.ask("POST", "/one-time-passwords/entries", json={"code": code})


def other_than(code: str) -> str:
    """A wrong one."""
    return f"{(int(code) + 1) % 10**8:08d}"


@pytest.mark.requirement("R30", "R318", "R319", "R324", "R328", "R329", "R330", "O2", "O3", "O4")
async def test_the_gate_is_closed_until_the_mailed_code_was_entered(people: People) -> None:
    person = await gated(people)
    closed = await person.ask("GET", GATED)
    assert (closed.status, closed.body["detail"]) == (403, "ワンタイムパスワードにより保護されています")
    assert (await person.ask("GET", "/me")).body["one_time_password"] == {"in_use": True, "entered": False}

    answer = await person.ask("POST", "/one-time-passwords")
    assert answer.body["sent_to"] == f"{person.user_id[:2]}***@sample.com"
    mail = await people.mails.next(template="one_time_password", about_user_id=person.user_id)
    assert mail["data"]["recipient"] == f"{person.user_id[:9]}@sample.com"
    code = sealing.secret_of(mail)
    assert len(code) == 8 and code.isdigit()

    entered = await enter(person, code)
    assert (entered.status, entered.body["one_time_password_required"]) == (200, False)
    person.access_token = entered.body["access_token"]
    assert (await person.ask("GET", GATED)).status == 200
    assert (await person.ask("GET", "/me")).body["one_time_password"] == {"in_use": True, "entered": True}


@pytest.mark.requirement("R332", "R333")
async def test_one_entry_is_enough_until_the_session_ends(people: People) -> None:
    person = await gated(people)
    person.access_token = (await enter(person, await issue(person))).body["access_token"]
    await person.refresh()
    assert (await person.ask("GET", GATED)).status == 200
    await people.let_time_pass(person, minutes=29)
    await person.refresh()
    assert (await person.ask("GET", GATED)).status == 200
    again = person.elsewhere()
    assert (await again.log_in())["one_time_password_required"] is True
    assert (await again.ask("GET", GATED)).status == 403, "another session enters its own"
    await person.ask("DELETE", "/sessions/current")
    assert (await person.log_in())["one_time_password_required"] is True, "and so does the one after a logout"
    assert (await person.ask("GET", GATED)).status == 403


@pytest.mark.requirement("R334", "O1")
async def test_the_second_wrong_entry_makes_it_lapse(people: People) -> None:
    person = await gated(people)
    code = await issue(person)
    async with people.platform.hears(OneTimePasswordEntered) as spy:
        wrong = await enter(person, other_than(code))
        assert (wrong.status, wrong.body["type"]) == (403, "/problems/wrong-one-time-password")
        lapsed = await enter(person, other_than(code))
        assert (lapsed.status, lapsed.body["type"]) == (409, "/problems/one-time-password-lapsed")
        assert (await enter(person, code)).status == 409
        events = [(await spy.next(session_id=person.session_id))["data"] for _ in range(3)]
    assert [(one["outcome"], one["lapsed"]) for one in events] == [
        ("failed", False),
        ("failed", True),
        ("failed", True),
    ]


@pytest.mark.requirement("O1")
async def test_a_correct_second_entry_works(people: People) -> None:
    person = await gated(people)
    code = await issue(person)
    assert (await enter(person, other_than(code))).status == 403
    assert (await enter(person, code)).status == 200


@pytest.mark.requirement("R331", "O1")
async def test_a_new_issue_kills_the_one_before(people: People) -> None:
    person = await gated(people)
    first = await issue(person)
    second = await issue(person)
    assert (await enter(person, first)).status == 403
    assert (await enter(person, second)).status == 200


@pytest.mark.requirement("R320", "O1")
async def test_it_is_valid_for_ten_minutes_by_the_databases_clock(people: People) -> None:
    person = await gated(people)
    move = "update one_time_passwords set issued_at = issued_at - $2::interval, expires_at = expires_at - $2::interval"
    code = await issue(person)
    await people.behind.execute(f"{move} where session_id = $1", person.session_id, timedelta(minutes=9))
    assert (await enter(person, code)).status == 200

    later = person.elsewhere()
    await later.log_in()
    code = await issue(later)
    await people.behind.execute(f"{move} where session_id = $1", later.session_id, timedelta(minutes=10))
    assert (await enter(later, code)).status == 409


@pytest.mark.requirement("O1")
async def test_it_opens_only_the_session_that_asked(people: People) -> None:
    person = await gated(people)
    other = person.elsewhere()
    await other.log_in()
    code = await issue(person)
    assert (await enter(other, code)).status == 409
    assert (await enter(person, code)).status == 200
    assert (await enter(person, code)).status == 409, "and only once"


@pytest.mark.requirement("O1")
async def test_at_most_five_in_ten_minutes_and_twenty_a_day(people: People) -> None:
    person = await gated(people)
    async with people.platform.hears(OneTimePasswordIssued) as spy:
        for _ in range(4):
            for _ in range(5):
                assert (await person.ask("POST", "/one-time-passwords")).status == 202
            refused = await person.ask("POST", "/one-time-passwords")
            assert (refused.status, refused.body["type"]) == (429, "/problems/issue-limit-reached")
            await people.behind.execute(
                "update issues set at = at - interval '10 minutes' where user_id = $1", person.user_id
            )
        assert (await person.ask("POST", "/one-time-passwords")).status == 429, "twenty a day"
        for _ in range(20):
            await spy.next(session_id=person.session_id)


@pytest.mark.requirement("R323", "O2", "L9")
async def test_switching_it_on_and_off_counts_for_running_sessions_at_once(people: People) -> None:
    person = await people.administrator()
    code = person.user_id[:9]
    database, revocations = people.identity.database, people.identity.revocations
    for in_use, status in ((True, 403), (False, 200)):
        async with database.transaction() as tx:
            await tx.execute(
                "update companies set uses_one_time_password = $2 where policyholder_code = $1", code, in_use
            )
            event = await access.revoke_company(tx, code)
        assert await revocations.in_force(event) is None
        assert (await person.ask("GET", GATED)).status == 401, "the earlier access token is refused"
        await person.refresh()
        assert (await person.ask("GET", GATED)).status == status


@pytest.mark.requirement("O1")
@pytest.mark.parametrize("typed", ["full width", "with blanks"])
async def test_full_width_digits_and_blanks_are_understood(people: People, typed: str) -> None:
    person = await gated(people)
    code = await issue(person)
    shown = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert (await enter(person, shown if typed == "full width" else f" {code[:4]} {code[4:]}")).status == 200


async def test_without_a_key_of_the_notifier_nothing_is_half_done(people: People) -> None:
    person = await gated(people)
    async with sealing.no_good_key(people.behind):
        answer = await person.ask("POST", "/one-time-passwords")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert await people.behind.fetchval("select count(*) from issues where user_id = $1", person.user_id) == 0


@pytest.mark.parametrize("code", ["", "x", "\u0000", "1" * 51, "😀" * 8, 12345678])
async def test_odd_entries_are_refused_politely(people: People, code: Any) -> None:
    person = await gated(people)
    await issue(person)
    answer = await person.ask("POST", "/one-time-passwords/entries", json={"code": code})
    assert answer.status in (400, 403, 422)


@pytest.mark.requirement("S-1")
async def test_the_code_is_kept_nowhere_in_clear(people: People) -> None:
    person = await gated(people)
    code = await issue(person)
    for table in ("one_time_passwords", "outbox", "issues", "sessions"):
        rows = await people.behind.fetch(f"select to_jsonb(t)::text as text from {table} as t")
        assert code not in "".join(row["text"] for row in rows)
