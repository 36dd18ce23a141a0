"""An administrator who forgot the password gets a new one by mail; nobody learns anything else (R121 to R124, L6)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.identity import PasswordReissued
from tests.identity.people import Answer, People, Person
from tests.support import sealing, unique
from tests.support.eventually import eventually


async def ask(person: Person, user_id: str, email: str) -> Answer:
    """Fill in the screen."""
    return await person.ask("POST", "/password-reissues", json={"user_id": user_id, "email": email})


async def settled(people: People) -> None:
    """Wait until every kept request was looked at."""

    async def none() -> bool:
        return not await people.behind.fetchval("select exists (select from reissue_requests)")

    await eventually(none)


@pytest.mark.requirement("R88", "R121", "R122", "R124", "L5", "L6")
async def test_the_registered_address_gets_a_password_and_the_old_one_works_until_it_is_used(people: People) -> None:
    person = await people.administrator()
    answer = await ask(person, person.user_id, f"{person.user_id[:9]}@sample.com")
    assert answer.status == 202
    mail = await people.mails.next(template="password_reissued", about_user_id=person.user_id)
    assert mail["data"]["recipient"] == f"{person.user_id[:9]}@sample.com"
    temporary = sealing.secret_of(mail)
    assert temporary not in str(mail)

    other = person.elsewhere()
    assert (await other.log_in())["password_change_required"] is False
    fresh = person.elsewhere()
    assert (await fresh.log_in(temporary))["password_change_required"] is True
    assert (await person.elsewhere().try_login()).status == 401, "the old one died when the new one was used"
    assert (await other.ask("GET", "/me")).status == 401, "and what it had opened ended"
    fresh.password = temporary
    changed = await fresh.change_password(new := "さんぽに行く犬が三匹-" + unique.word())
    assert changed.status == 200
    assert (await person.elsewhere().try_login(new)).status == 201


@pytest.mark.requirement("L6", "G-1")
async def test_the_answer_is_the_same_for_any_input(people: People) -> None:
    person = await people.administrator()
    right = f"{person.user_id[:9]}@sample.com"
    inputs: list[tuple[str, str]] = [
        (person.user_id, right),
        (person.user_id, "other@sample.com"),
        (f"{unique.policyholder_code()}000", right),
        ("nonsense", "nonsense"),
        ("", ""),
        ("あ" * 200, "\u202e" * 200),
    ]
    answers = [await ask(person, *one) for one in inputs]
    assert {one.status for one in answers} == {202}
    assert len({str(one.body) for one in answers}) == 1
    await settled(people)
    assert [mail["data"]["template"] for mail in people.mails.seen] in ([], ["password_reissued"])


@pytest.mark.requirement("L6", "G-1", "H2")
async def test_every_id_is_recorded_alike_and_what_is_none_is_not_kept(people: People) -> None:
    person, unknown = await people.administrator(), f"{unique.policyholder_code()}000"
    async with people.platform.hears(PasswordReissued) as spy:
        await ask(person, "a password in the wrong field", "x@sample.com")
        await ask(person, unknown, "x@sample.com")
        await ask(person, person.user_id, "x@sample.com")
        events = [(await spy.next())["data"] for _ in range(2)]
        assert not spy.seen
    assert [(one["operator"]["user_id"], one["outcome"]) for one in events] == [
        (unknown, "refused"),
        (person.user_id, "refused"),
    ]
    assert events[0]["operator"]["policyholder_code"] == ""


@pytest.mark.requirement("L6", "L8")
@pytest.mark.parametrize("hurdle", ["wrong address", "disabled", "applicant"])
async def test_no_mail_goes_out_for_anybody_else(people: People, hurdle: str) -> None:
    person = await people.administrator()
    address = f"{person.user_id[:9]}@sample.com"
    if hurdle == "wrong address":
        address = "pending@sample.com"
    elif hurdle == "disabled":
        await people.behind.execute("update users set enabled = false where user_id = $1", person.user_id)
    else:
        await people.behind.execute("update users set role = 'applicant' where user_id = $1", person.user_id)
    assert (await ask(person, person.user_id, address)).status == 202
    await settled(people)
    live = await people.behind.fetchval(
        "select count(*) from temporary_passwords where user_id = $1 and used_at is null", person.user_id
    )
    assert live == 0


@pytest.mark.requirement("L1", "L6")
async def test_a_reissue_ends_a_lock(people: People) -> None:
    person = await people.administrator()
    for _ in range(5):
        await person.try_login("wrong wrong wrong")
    assert (await person.try_login()).status == 403
    await ask(person, person.user_id, f"{person.user_id[:9]}@sample.com")
    await people.mails.next(template="password_reissued", about_user_id=person.user_id)
    assert (await person.try_login()).status == 201


@pytest.mark.requirement("L6")
async def test_at_most_five_a_day_and_only_the_last_one_counts(people: People) -> None:
    person = await people.administrator()
    async with people.platform.hears(PasswordReissued) as spy:
        for _ in range(7):
            await ask(person, person.user_id, f"{person.user_id[:9]}@sample.com")
        outcomes = [(await spy.next())["data"]["outcome"] for _ in range(7)]
    assert sorted(outcomes) == ["done"] * 5 + ["refused"] * 2
    mails: list[Any] = [await people.mails.next(about_user_id=person.user_id) for _ in range(5)]
    tries = [(await person.elsewhere().try_login(sealing.secret_of(mail))).status for mail in mails]
    assert sorted(tries) == [201, 401, 401, 401, 401]


@pytest.mark.requirement("L6")
async def test_an_address_that_asks_too_often_is_kept_waiting(people: People) -> None:
    async with people.platform.running("identity", reissues_per_source=2, reissues_per_source_minute=0.1) as small:
        person = Person(people, "", "")
        body = {"user_id": "123456789000", "email": "a@sample.com"}
        tries = await asyncio.gather(*(person.ask("POST", "/password-reissues", to=small, json=body) for _ in range(6)))
        assert sorted(one.status for one in tries) == [202, 202, 429, 429, 429, 429]


@pytest.mark.requirement("L6", "H2")
async def test_a_request_that_waited_for_an_hour_is_given_up_and_recorded(people: People) -> None:
    person = await people.administrator()
    async with people.platform.hears(PasswordReissued) as spy:
        for age in (timedelta(minutes=61), timedelta(minutes=59)):
            await people.behind.execute(
                "insert into reissue_requests (user_id, email, source_address, requested_at)"
                " values ($1, $2, '10.9.9.9', now() - $3::interval)",
                person.user_id, f"{person.user_id[:9]}@sample.com", age,
            )  # fmt: skip
        outcomes = [(await spy.next(source_address="10.9.9.9"))["data"]["outcome"] for _ in range(2)]
    assert outcomes == ["refused", "done"]
    await people.mails.next(template="password_reissued", about_user_id=person.user_id)
    assert not [mail for mail in people.mails.seen if mail["data"]["about_user_id"] == person.user_id]


@pytest.mark.requirement("L6", "L8", "L10")
@pytest.mark.parametrize("change", ["email = 'successor@sample.com'", "enabled = false"])
async def test_whoever_changes_the_administrator_meanwhile_decides_where_no_mail_goes(
    people: People, change: str
) -> None:
    person = await people.administrator()
    async with people.platform.hears(PasswordReissued) as spy:
        async with people.behind.transaction() as tx:
            await tx.execute(f"update users set {change} where user_id = $1", person.user_id)
            await ask(person, person.user_id, f"{person.user_id[:9]}@sample.com")
            waits = (
                "select exists (select from pg_locks where transactionid = pg_current_xact_id()::xid and not granted)"
            )
            await eventually(lambda: tx.fetchval(waits))
        assert (await spy.next(source_address=person.address))["data"]["outcome"] == "refused"
    assert not [mail for mail in people.mails.seen if mail["data"]["about_user_id"] == person.user_id]


async def test_a_request_that_cannot_be_carried_out_yet_waits_for_the_notifiers_keys(people: People) -> None:
    person = await people.administrator()
    async with sealing.no_good_key(people.behind):
        assert (await ask(person, person.user_id, f"{person.user_id[:9]}@sample.com")).status == 202
        await asyncio.sleep(0.3)
        assert await people.behind.fetchval("select exists (select from reissue_requests)")
    await people.mails.next(template="password_reissued", about_user_id=person.user_id, timeout=20)
