"""What an administrator was told is done is felt by the applicant's next request, with real sessions and tokens."""

from typing import Any

import pytest

from contracts.notifier import SendMail
from contracts.permissions import ContractData
from tests.identity.administration.firms import NEW_APPLICANT
from tests.identity.people import People, Person
from tests.support import sealing


async def register(administrator: Person, **values: Any) -> dict[str, Any]:
    answer = await administrator.ask("POST", "/applicants", json=NEW_APPLICANT | values)
    assert answer.status == 201, answer
    shown: dict[str, Any] = answer.body["applicant"]
    return shown


async def first_password(people: People, user_id: str, template: str = "initial_password") -> str:
    """What the administrator reads in the mail and tells the applicant (R141)."""
    mail = await people.mails.next(about_user_id=user_id, template=template)
    return sealing.secret_of(mail)


async def applicant_of(people: People, administrator: Person, **values: Any) -> tuple[Person, dict[str, Any]]:
    """A logged-in applicant with an own password, and what the administrator sees of it."""
    shown = await register(administrator, **values)
    person = Person(people, shown["user_id"], await first_password(people, shown["user_id"]))
    await person.settle_in()
    detail = await administrator.ask("GET", f"/applicants/{shown['user_id']}")
    return person, detail.body


def change_of(shown: dict[str, Any], **values: Any) -> dict[str, Any]:
    names = [*NEW_APPLICANT, "version", "enabled"]
    return {name: shown[name] for name in names} | values


@pytest.mark.requirement("R63", "R67", "R140", "R141", "L5")
async def test_an_applicant_logs_in_once_with_the_mailed_password_and_must_choose_an_own_one(people: People) -> None:
    administrator = await people.administrator()
    shown = await register(administrator)
    person = Person(people, shown["user_id"], await first_password(people, shown["user_id"]))
    session = await person.log_in()
    assert session["password_change_required"] is True
    page = (await person.ask("GET", "/menu")).body
    assert page["must_change_password"] is True
    assert (await person.ask("GET", "/me")).status == 403
    assert (await person.elsewhere().try_login()).status == 401
    assert (await administrator.ask("GET", f"/applicants/{shown['user_id']}")).body["password_state"] == "lapsed"


@pytest.mark.requirement("R89", "R100")
async def test_an_applicant_changes_nothing_but_the_own_password(people: People) -> None:
    administrator = await people.administrator()
    person, shown = await applicant_of(people, administrator)
    assert shown["password_state"] == "chosen"
    assert shown["last_login_at"] is not None
    for method, path in (("GET", "/applicants"), ("GET", f"/applicants/{person.user_id}"), ("GET", "/administrator")):
        assert (await person.ask(method, path)).status == 403
    own = change_of(shown, entry="enter_and_apply")
    assert (await person.ask("PUT", f"/applicants/{person.user_id}", json=own)).status == 403
    assert (await person.ask("GET", "/me")).body["entry"] == "enter"


@pytest.mark.requirement("L8", "L9", "R150")
async def test_a_disabled_applicant_is_out_at_once_and_comes_back_only_by_a_new_login(people: People) -> None:
    administrator = await people.administrator()
    person, shown = await applicant_of(people, administrator)
    path = f"/applicants/{person.user_id}"
    off = await administrator.ask("PUT", path, json=change_of(shown, enabled=False))
    assert (off.status, off.body["in_force_from"]) == (200, None)
    assert (await person.ask("GET", "/me")).status == 401
    assert (await person.ask("POST", "/access-tokens")).status == 401
    assert (await person.elsewhere().try_login()).status == 401
    on = await administrator.ask("PUT", path, json=change_of(off.body["applicant"], enabled=True))
    assert on.status == 200
    assert (await person.ask("POST", "/access-tokens")).status == 401, "the old session stays ended"
    assert (await person.elsewhere().try_login()).status == 201


@pytest.mark.requirement("L9", "R74", "R157", "R158", "R159")
async def test_changed_rights_are_in_the_next_token_and_in_no_earlier_one(people: People) -> None:
    administrator = await people.administrator(
        uses_comprehensive_insurance=True, rider_codes=("999999901", "999999902")
    )
    person, shown = await applicant_of(people, administrator)
    narrow = change_of(shown, contract_data="listed_riders", rider_codes=["999999902"], entry="none")
    assert (await administrator.ask("PUT", f"/applicants/{person.user_id}", json=narrow)).status == 200
    assert (await person.ask("GET", "/me")).status == 401
    await person.refresh()
    me = (await person.ask("GET", "/me")).body
    assert (me["entry"], me["contract_data"], me["rider_codes"]) == ("none", ContractData.LISTED_RIDERS, ["999999902"])
    assert "enter" not in me["may"]


@pytest.mark.requirement("R90", "R163", "R165", "L7")
async def test_a_reset_ends_password_and_sessions_and_the_mailed_password_opens(people: People) -> None:
    administrator = await people.administrator()
    person, _ = await applicant_of(people, administrator)
    answer = await administrator.ask("POST", f"/applicants/{person.user_id}/password-reset")
    assert (answer.status, answer.body["in_force_from"]) == (200, None)
    assert (await person.ask("GET", "/me")).status == 401
    assert (await person.ask("POST", "/access-tokens")).status == 401
    assert (await person.elsewhere().try_login()).status == 401
    fresh = Person(people, person.user_id, await first_password(people, person.user_id, "password_reset"))
    assert (await fresh.log_in())["password_change_required"] is True


@pytest.mark.requirement("L1", "L7")
async def test_a_reset_ends_a_lock(people: People) -> None:
    administrator = await people.administrator()
    person, shown = await applicant_of(people, administrator)
    for _ in range(5):
        await person.elsewhere().try_login("a wrong password, again")
    assert (await administrator.ask("GET", f"/applicants/{person.user_id}")).body["locked"] is True
    await administrator.ask("POST", f"/applicants/{person.user_id}/password-reset")
    assert (await administrator.ask("GET", f"/applicants/{person.user_id}")).body["locked"] is False
    fresh = Person(people, person.user_id, await first_password(people, person.user_id, "password_reset"))
    await fresh.log_in()
    assert shown["locked"] is False


@pytest.mark.requirement("R319", "R323", "R324", "O2", "L9")
async def test_switched_one_time_passwords_gate_running_sessions_both_ways(people: People) -> None:
    administrator = await people.administrator()
    person, _ = await applicant_of(people, administrator)
    own = (await administrator.ask("GET", "/administrator")).body
    form = {name: own[name] for name in ("version", "email", "name", "phone", "department", "title")}
    on = await administrator.ask("PUT", "/administrator", json=form | {"one_time_password": True})
    assert (on.status, on.body["in_force_from"]) == (200, None)
    for one in (person, administrator):
        assert (await one.ask("GET", "/menu")).status == 401
        assert (await one.refresh())["one_time_password_required"] is True
        page = (await one.ask("GET", "/menu")).body
        assert page["one_time_password_due"] is True
    gated = await administrator.ask("GET", "/applicants")
    assert (gated.status, gated.body["detail"]) == (403, "ワンタイムパスワードにより保護されています")
    code = await _enter(people, administrator)
    assert len(code) == 8
    assert (await administrator.ask("GET", "/applicants")).status == 200
    off = await administrator.ask(
        "PUT",
        "/administrator",
        json=form | {"version": on.body["administrator"]["version"], "one_time_password": False},
    )
    assert off.status == 200
    assert (await person.refresh())["one_time_password_required"] is False
    assert (await person.ask("GET", "/menu")).body["one_time_password_due"] is False


async def _enter(people: People, person: Person) -> str:
    """Have a one-time password mailed, and enter it."""
    assert (await person.ask("POST", "/one-time-passwords")).status == 202
    mail = await people.mails.next(template="one_time_password", about_user_id=person.user_id)
    code = sealing.secret_of(mail)
    answer = await person.ask("POST", "/one-time-passwords/entries", json={"code": code})
    assert answer.status == 200, answer
    await person.refresh()
    return code


@pytest.mark.requirement("L10", "R116", "R124", "E1")
async def test_a_hand_over_is_a_confirmed_address_and_a_reissue(people: People) -> None:
    administrator = await people.administrator()
    own = (await administrator.ask("GET", "/administrator")).body
    form = {name: own[name] for name in ("version", "phone", "department", "title", "one_time_password")}
    successor = form | {"name": "後任　者", "email": "successor@sample.com", "current_password": administrator.password}
    assert (await administrator.ask("PUT", "/administrator", json=successor)).status == 200
    reissue = {"user_id": administrator.user_id, "email": "successor@sample.com"}
    assert (await administrator.ask("POST", "/password-reissues", json=reissue)).status == 202
    link = sealing.secret_of(
        await people.mails.next(template="email_confirmation", about_user_id=administrator.user_id)
    )
    token = link.partition("#token=")[2]
    assert (await administrator.ask("POST", "/email-changes/confirmation", json={"token": token})).status == 200
    assert (await administrator.ask("POST", "/password-reissues", json=reissue)).status == 202
    mail = await people.mails.next(template="password_reissued", about_user_id=administrator.user_id)
    assert mail["data"]["recipient"] == "successor@sample.com"
    reissued = [one for one in people.mails.seen if one["type"] == SendMail.wire_type()]
    assert not [one for one in reissued if one["data"]["template"] == "password_reissued"], "none to a pending address"
    heir = Person(people, administrator.user_id, sealing.secret_of(mail))
    assert (await heir.log_in())["name"] == "後任　者"
