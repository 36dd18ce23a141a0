"""Administrators change their own data: what is answered as done is in force, the address waits for its link."""

import asyncio
from typing import Any

import pytest

from contracts.identity import AddressChanged, AdministratorChanged, OneTimePasswordSettingChanged
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import PASSWORD, Answer, Firm
from tests.support import callers
from tests.support.platform import Platform


async def form_of(firm: Firm, **values: Any) -> dict[str, Any]:
    """The form as a front end fills it from what is shown."""
    shown = (await firm.ask("GET", "/administrator")).body
    names = ("version", "email", "name", "phone", "department", "title", "one_time_password")
    return {name: shown[name] for name in names} | values


async def put(firm: Firm, **values: Any) -> Answer:
    return await firm.ask("PUT", "/administrator", await form_of(firm, **values))


@pytest.mark.requirement("R68", "R75", "R87")
async def test_the_own_data_are_shown_with_labels(firm: Firm) -> None:
    answer = await firm.ask("GET", "/administrator")
    assert answer.status == 200
    expected = {
        "user_id": f"{firm.code}000",
        "email": "admin@sample.com",
        "pending_email": None,
        "name": "日本　太郎",
        "one_time_password": False,
        "one_time_password_label": "利用しない",
        "entry_label": "入力+申込権限",
        "contract_data_label": "情報データ参照制限なし",
        "application_data_label": "申込データ参照制限なし",
    }
    assert {name: answer.body[name] for name in expected} == expected


@pytest.mark.requirement("R110", "R112", "R113")
async def test_a_validation_shows_the_new_values_and_stores_nothing(firm: Firm) -> None:
    form = await form_of(firm, name="輸出 次郎", one_time_password=True, email="me@gmail.com")
    answer = await firm.ask("POST", "/administrator/validation", form)
    lines = {one["label"]: (one["value"], one["before"]) for one in answer.body["items"]}
    assert lines["WebユーザーID（管理者用）"] == (f"{firm.code}000", None)
    assert lines["氏名"] == ("輸出　次郎", "日本　太郎")
    assert lines["ワンタイムパスワード利用"] == ("利用する", "利用しない")
    assert answer.body["changed"] == ["email", "name", "one_time_password"]
    assert answer.body["needs_current_password"] is True
    assert [one["rule"] for one in answer.body["warnings"]] == ["discouraged"]
    assert (await form_of(firm))["name"] == "日本　太郎"


@pytest.mark.requirement("R114", "R118", "E1")
async def test_a_commit_without_a_new_address_is_complete_at_once(firm: Firm, platform: Platform) -> None:
    old = await firm.headers()
    async with platform.hears(AdministratorChanged, AddressChanged) as events:
        answer = await put(firm, name="輸出　次郎", phone="", title="課長")
        changed = await events.next(changed=["name", "phone", "title"])
        address = await events.next(user_id=f"{firm.code}000", version=2)
    assert (answer.status, answer.body["in_force_from"], answer.body["email_change"]) == (200, None, None)
    assert answer.body["message"] == "Webユーザー（管理者）の情報を変更しました。"
    assert answer.body["administrator"]["version"] == 2
    assert changed["data"]["operator"]["name"] == "日本　太郎", "the operator as of the operation (H3)"
    assert (address["data"]["name"], address["data"]["address"]) == ("輸出　次郎", "admin@sample.com")
    assert (await firm.ask("GET", "/administrator", headers=old)).status == 401, "tokens carry the name (H3)"


async def test_a_commit_without_a_change_does_nothing(firm: Firm) -> None:
    answer = await put(firm)
    assert (answer.status, answer.body["changed"], answer.body["administrator"]["version"]) == (200, [], 1)


@pytest.mark.requirement("C-7")
async def test_of_two_editors_the_later_one_is_told(firm: Firm) -> None:
    form = await form_of(firm)
    answers = await asyncio.gather(
        *(firm.ask("PUT", "/administrator", form | {"department": f"部門{number}"}) for number in range(8))
    )
    statuses = sorted(one.status for one in answers)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 412, 401}, "401: the winner's change ended the token meanwhile"
    assert (await firm.ask("POST", "/administrator/validation", form)).status == 412
    assert (await firm.ask("PUT", "/administrator", form)).problem == "stale-version"


@pytest.mark.requirement("R319", "R321", "R322", "R323", "L9", "O2")
async def test_switching_one_time_passwords_is_in_force_at_once_for_everybody(firm: Firm, platform: Platform) -> None:
    await firm.register()
    applicant = await firm.headers(callers.applicant(firm.code, 1))
    administrator = await firm.headers()
    async with platform.hears(OneTimePasswordSettingChanged) as events, platform.running("identity") as other:
        answer = await put(firm, one_time_password=True)
        event = await events.next(in_use=True)
        assert (answer.status, answer.body["in_force_from"]) == (200, None)
        for runtime in (firm.runtime, other):
            for token in (applicant, administrator):
                assert (await firm.ask("GET", "/menu", headers=token, runtime=runtime)).status == 401
    assert event["data"]["operator"]["user_id"] == f"{firm.code}000"
    assert answer.body["administrator"]["one_time_password_label"] == "利用する"
    gated = callers.administrator(firm.code, stepped_up=False)
    assert (await firm.ask("GET", "/administrator", caller=gated)).problem == "step-up-required"
    off = await put(firm, one_time_password=False)
    assert off.body["administrator"]["one_time_password_label"] == "利用しない"


@pytest.mark.requirement("E1")
async def test_a_new_address_asks_for_the_current_password_again(firm: Firm) -> None:
    missing = await put(firm, email="new@sample.com", name="別名")
    assert (missing.status, missing.broken) == (422, {"body.current_password": "missing"})
    wrong = await put(firm, email="new@sample.com", name="別名", current_password="not the password")
    assert (wrong.status, wrong.problem) == (403, "wrong-password")
    assert (await form_of(firm))["name"] == "日本　太郎", "nothing of it was stored"
    right = await put(firm, email="new@sample.com", name="別名", current_password=PASSWORD)
    assert right.status == 200


@pytest.mark.requirement("L4", "E1")
async def test_the_current_password_may_be_typed_full_width_and_counts_no_failure(firm: Firm) -> None:
    full_width = "".join("　" if letter == " " else chr(ord(letter) + 0xFEE0) for letter in PASSWORD)
    answers = [await put(firm, email=f"{n}@sample.com", current_password=full_width) for n in range(6)]
    assert [one.status for one in answers] == [200] * 6


@pytest.mark.requirement("L1", "E1")
async def test_wrong_current_passwords_count_towards_the_lock(firm: Firm) -> None:
    form = await form_of(firm, email="new@sample.com")
    answers = [await firm.ask("PUT", "/administrator", form | {"current_password": "wrong password"}) for _ in range(6)]
    assert [one.problem for one in answers] == ["wrong-password"] * 4 + ["password-locked"] * 2
    right = await firm.ask("PUT", "/administrator", form | {"current_password": PASSWORD})
    assert right.problem == "password-locked"


@pytest.mark.requirement("R321", "R68")
async def test_a_company_that_uses_one_time_passwords_is_gated_until_entry(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(one_time_password=True)
    gated = callers.administrator(firm.code, stepped_up=False)
    for method, path in (("GET", "/administrator"), ("GET", "/applicants"), ("GET", "/rider-codes")):
        refused = await firm.ask(method, path, caller=gated)
        assert (refused.status, refused.problem) == (403, "step-up-required")
        assert refused.body["detail"] == "ワンタイムパスワードにより保護されています"
