"""A session lasts as long as it is used and allowed, and what ended is over everywhere (R12, R37, R39, L3, L9)."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from contracts.identity import LoggedOut, SessionsEnded
from tests.identity.conftest import trust
from tests.identity.people import People


def claims(token: str) -> Any:
    """What a token says, without checking it."""
    part = token.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.requirement("R10", "R11", "R75", "R94", "R99")
async def test_me_shows_who_is_logged_in(people: People) -> None:
    person = await people.administrator()
    me = (await person.ask("GET", "/me")).body
    assert me["policyholder_name"] == "見本商事株式会社"
    assert me["policyholder_code"] == person.user_id[:9]
    assert me["user_id"] == person.user_id
    assert (me["entry"], me["contract_data"], me["application_data"]) == ("enter_and_apply", "all", "all")
    assert (me["name"], me["department"], me["title"]) == ("日本　太郎", "見本事業部", "事業部長")
    assert "administer" in me["may"]


async def test_an_access_token_says_who_and_what_for_five_minutes(people: People) -> None:
    person = await people.administrator()
    said = claims(person.access_token)
    assert said["exp"] - said["iat"] == 300
    assert said["caller"]["policyholder_codes"] == [person.user_id[:9]]
    assert said["versions"].keys() == {
        f"session:{person.session_id}",
        f"user:{person.user_id}",
        f"policyholder:{person.user_id[:9]}",
    }


@pytest.mark.requirement("R39", "R149", "L3")
async def test_a_session_ends_when_it_was_not_used_for_thirty_minutes(people: People) -> None:
    person = await people.administrator()
    await people.let_time_pass(person, minutes=29)
    await person.refresh()
    await people.let_time_pass(person, minutes=29)
    await person.refresh()
    await people.let_time_pass(person, minutes=31)
    answer = await person.ask("POST", "/access-tokens")
    assert (answer.status, answer.body["type"]) == (401, "/problems/session-ended")


@pytest.mark.requirement("L3")
async def test_a_session_ends_after_twelve_hours_and_no_token_outlives_it(people: People) -> None:
    person = await people.administrator()
    for _ in range(25):
        await people.let_time_pass(person, minutes=28)
        await person.refresh()
    await people.let_time_pass(person, minutes=18)
    await person.refresh()
    said = claims(person.access_token)
    assert said["exp"] - said["iat"] <= 120
    await people.let_time_pass(person, minutes=3)
    assert (await person.ask("POST", "/access-tokens")).status == 401


@pytest.mark.requirement("R12", "R37", "L9")
async def test_after_a_logout_nothing_works_in_any_process(people: People) -> None:
    person = await people.administrator()
    async with people.platform.running("identity") as other, people.platform.hears(LoggedOut) as spy:
        await trust(people.platform, other)
        assert (await person.ask("GET", "/me", to=other)).status == 200
        answer = await person.ask("DELETE", "/sessions/current")
        assert (answer.status, answer.body) == (200, {"ended": 1, "in_force_from": None})
        assert (await person.ask("GET", "/me", to=other)).status == 401
        assert (await person.ask("GET", "/me")).status == 401
        assert (await person.ask("POST", "/access-tokens")).status == 401
        assert (await spy.next(session_id=person.session_id))["data"]["operation"] is None
        again = await person.ask("DELETE", "/sessions/current")
        assert (again.status, again.body["ended"]) == (200, 0)


@pytest.mark.requirement("L9")
async def test_own_sessions_are_listed_and_the_others_can_be_ended(people: People) -> None:
    person = await people.administrator()
    others = [person.elsewhere() for _ in range(3)]
    for other in others:
        await other.log_in()
    listed = (await person.ask("GET", "/sessions")).body["sessions"]
    assert len(listed) == 4
    assert [one["session_id"] for one in listed if one["current"]] == [person.session_id]

    one = await person.ask("DELETE", f"/sessions/{others[0].session_id}")
    assert one.body == {"ended": 1, "in_force_from": None}
    assert (await others[0].ask("GET", "/me")).status == 401
    assert (await others[1].ask("GET", "/me")).status == 200
    async with people.platform.hears(SessionsEnded) as spy:
        rest = await person.ask("DELETE", "/sessions/others")
        assert rest.body == {"ended": 2, "in_force_from": None}
        assert (await spy.next(about_user_id=person.user_id))["data"]["count"] == 2
    assert [(await other.ask("GET", "/me")).status for other in others] == [401] * 3
    assert (await person.ask("GET", "/me")).status == 200


async def test_a_foreign_session_cannot_be_ended_or_told_from_none(people: People) -> None:
    person, stranger = await people.administrator(), await people.administrator()
    foreign = await person.ask("DELETE", f"/sessions/{stranger.session_id}")
    nothing = await person.ask("DELETE", f"/sessions/{'0' * 32}")
    assert foreign.status == nothing.status == 404
    assert foreign.body["detail"] == nothing.body["detail"]
    assert (await stranger.ask("GET", "/me")).status == 200


@pytest.mark.parametrize("token", ["", "x", "あ", "a" * 43, "a" * 200])
async def test_a_wrong_session_token_is_refused(people: People, token: str) -> None:
    header = {"X-Session-Token": token.encode().decode("latin-1")}
    async with people.client.post(f"{people.identity.url}/access-tokens", headers=header) as answer:
        assert answer.status in (400, 401, 422)


@pytest.mark.requirement("S-1")
async def test_no_token_or_password_is_kept_in_clear(people: People) -> None:
    person = await people.administrator()
    for table in ("sessions", "users", "temporary_passwords", "login_attempts", "outbox"):
        rows = await people.behind.fetch(f"select to_jsonb(t)::text as text from {table} as t")
        text = "".join(row["text"] for row in rows)
        assert person.password not in text
        assert person.session_token not in text
