"""A password opens a session; whatever fails looks the same, and five failures in a row lock (R33 to R36, L1, L2)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from contracts.identity import LoginFailed, LoginSucceeded, PasswordChanged, UserLocked
from tests.identity.people import Answer, People, Person, new_password
from tests.support import unique
from tests.support.eventually import eventually


def said(answer: Answer) -> tuple[int, dict[str, str], list[str]]:
    """Everything of an answer but what names this one occurrence."""
    body = {name: value for name, value in answer.body.items() if name != "instance"}
    headers = [name for name in answer.headers if name not in ("Date", "X-Request-ID")]
    return answer.status, body, sorted(headers)


@pytest.mark.requirement("R33", "R34", "R62", "R64", "R65", "L5", "N1")
async def test_the_first_login_with_the_letters_password_leads_to_an_own_one(people: People) -> None:
    person = await people.register()
    session = await person.log_in()
    assert session["password_change_required"] is True
    assert session["last_login_at"] is None
    assert (await person.ask("GET", "/me")).status == 403

    temporary, person.password = person.password, new_password()
    async with people.platform.hears(PasswordChanged) as spy:
        answer = await person.change_password(person.password, current=temporary)
        assert answer.status == 200, answer
        event = await spy.next(forced=True)
    assert event["data"]["operation"] == "1-2"
    assert event["data"]["operator"]["user_id"] == person.user_id
    assert answer.body["password_change_required"] is False
    await person.keep(answer.body)
    assert (await person.ask("GET", "/me")).status == 200

    fresh = person.elsewhere()
    assert (await fresh.try_login(temporary)).status == 401
    assert (await fresh.log_in())["password_change_required"] is False


@pytest.mark.requirement("L5")
async def test_a_temporary_password_works_for_one_login(people: People) -> None:
    person = await people.register()
    first, second = await asyncio.gather(person.try_login(), person.elsewhere().try_login())
    assert sorted([first.status, second.status]) == [201, 401]


@pytest.mark.requirement("L5")
async def test_a_temporary_password_expires(people: People) -> None:
    person = await people.register()
    await people.behind.execute("update temporary_passwords set expires_at = now() where user_id = $1", person.user_id)
    async with people.platform.hears(LoginFailed) as spy:
        assert (await person.try_login()).status == 401
        assert (await spy.next())["data"]["reason"] == "expired"


@pytest.mark.requirement("R18", "L2")
async def test_the_last_login_is_the_successful_one_before_this(people: People) -> None:
    person = await people.administrator()
    before = datetime.now(UTC)
    assert (await person.log_in())["last_login_at"] is not None
    await person.elsewhere().try_login("wrong wrong wrong")
    session = await person.log_in()
    assert datetime.fromisoformat(session["last_login_at"]) >= before
    me = await person.ask("GET", "/me")
    assert me.body["last_login_at"] == session["last_login_at"]


@pytest.mark.requirement("R34", "H1")
async def test_a_login_is_recorded_with_who_it_was(people: People) -> None:
    person = await people.administrator()
    async with people.platform.hears(LoginSucceeded) as spy:
        session = await person.log_in()
        event = await spy.next(session_id=session["session_id"])
    assert event["data"]["operation"] == "1-1"
    assert event["data"]["source_address"] == person.address
    assert event["data"]["operator"] == {
        "policyholder_code": person.user_id[:9],
        "user_id": person.user_id,
        "name": "日本　太郎",
        "department": "見本事業部",
        "title": "事業部長",
    }


@pytest.mark.requirement("R35", "R36", "L1", "L8", "G-1")
async def test_wrong_unknown_and_disabled_look_the_same_up_to_the_lock_and_beyond(people: People) -> None:
    known = await people.administrator()
    disabled = await people.administrator()
    await people.behind.execute("update users set enabled = false where user_id = $1", disabled.user_id)
    unknown = Person(people, f"{unique.policyholder_code()}000", "whatever it may be")
    tries: list[list[tuple[int, dict[str, str], list[str]]]] = []
    for person, password in ((known, "wrong wrong wrong"), (unknown, None), (disabled, None)):
        tries.append([said(await person.try_login(password)) for _ in range(7)])
    assert tries[0] == tries[1] == tries[2]
    assert [one[0] for one in tries[0]] == [401] * 4 + [403] * 3
    assert "ご確認ください" in tries[0][0][1]["detail"]
    assert "規定回数以上" in tries[0][4][1]["detail"]


@pytest.mark.requirement("R36", "L1")
async def test_five_failures_lock_even_the_right_password_until_the_time_is_over(people: People) -> None:
    person = await people.administrator()
    async with people.platform.hears(UserLocked, LoginFailed) as spy:
        for _ in range(5):
            await person.try_login("wrong wrong wrong")
        locked = await spy.next(outcome="refused")
        assert locked["data"]["operator"]["user_id"] == person.user_id
        assert (await person.try_login()).status == 403
        await spy.next(reason="locked")
    await people.behind.execute(
        "update login_attempts set locked_until = now() - interval '1 second' where user_id = $1", person.user_id
    )
    assert (await person.try_login("wrong wrong wrong")).status == 401, "the count begins anew"
    assert (await person.try_login()).status == 201


@pytest.mark.requirement("L1")
async def test_a_lock_of_days_is_not_forgotten_before_its_end(people: People) -> None:
    person, unknown = await people.administrator(), f"{unique.policyholder_code()}000"
    async with people.platform.running("identity", lock_time=timedelta(days=7)) as patient:
        for _ in range(5):
            await person.try_login("wrong wrong wrong", to=patient)
    await person.elsewhere().ask("POST", "/sessions", json={"user_id": unknown, "password": "wrong wrong wrong"})
    await people.behind.execute(
        "update login_attempts set reserved_until = now() - interval '3 days' where user_id = any($1)",
        [person.user_id, unknown],
    )
    forgotten = "select not exists (select from login_attempts where user_id = $1)"
    async with people.platform.running("identity"):  # which tidies when it starts
        await eventually(lambda: people.behind.fetchval(forgotten, unknown))
    assert (await person.try_login()).status == 403


@pytest.mark.requirement("L1")
async def test_a_success_ends_the_count_of_consecutive_failures(people: People) -> None:
    person = await people.administrator()
    for _ in range(3):
        assert [(await person.try_login("wrong wrong wrong")).status for _ in range(4)] == [401] * 4
        assert (await person.try_login()).status == 201


@pytest.mark.requirement("L1")
async def test_an_address_that_fails_too_often_is_kept_waiting_whatever_it_asks(people: People) -> None:
    async with people.platform.running("identity", failures_per_source=3, failures_per_source_minute=0.1) as small:
        person = await people.administrator()
        assert [(await person.try_login(to=small)).status for _ in range(5)] == [201] * 5, "success is free"
        unknown = Person(people, f"{unique.policyholder_code()}000", "whatever it may be", person.address)
        assert [(await unknown.try_login(to=small)).status for _ in range(5)] == [401] * 3 + [429] * 2
        refused = await person.try_login(to=small)
        assert refused.status == 429
        assert refused.headers["Retry-After"]
        assert (await person.elsewhere().try_login(to=small)).status == 201, "others are not kept waiting"


@pytest.mark.requirement("L4")
async def test_a_password_is_hashed_anew_when_the_parameters_have_risen(people: People) -> None:
    person = await people.administrator()
    ask = "select password_hash from users where user_id = $1"
    assert await people.behind.fetchval(ask, person.user_id)
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(person.password)
    await people.behind.execute("update users set password_hash = $2 where user_id = $1", person.user_id, weaker)
    assert (await person.try_login()).status == 201
    assert "m=19456,t=2,p=1" in await people.behind.fetchval(ask, person.user_id)
    assert (await person.try_login()).status == 201


@pytest.mark.requirement("R33")
async def test_own_recent_logins_are_listed_with_the_failures(people: People) -> None:
    person = await people.administrator()
    await person.elsewhere().try_login("wrong wrong wrong")
    shown = (await person.ask("GET", "/logins")).body["logins"]
    assert [one["succeeded"] for one in shown] == [False, True]
    assert shown[1]["source_address"] == person.address


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "12345678900", "password": "x"},
        {"user_id": "１２３４５６７８９０００", "password": "x"},
        {"user_id": "123456789000", "password": ""},
        {"user_id": "123456789000", "password": "x" * 1001},
        {"user_id": "123456789000"},
        {"user_id": 123456789000, "password": "x"},
        {"user_id": "123456789000", "password": "x", "role": "administrator"},
    ],
)
async def test_a_malformed_login_is_refused_by_field(people: People, body: dict[str, object]) -> None:
    answer = await Person(people, "", "").ask("POST", "/sessions", json=body)
    assert answer.status == 422
    assert all(error["field"].startswith("body.") for error in answer.body["errors"])
