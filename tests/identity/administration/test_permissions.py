"""What rights mean is said before they are given, in the words of the manual."""

from typing import Any

import pytest

from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import RIDERS, Firm

RIGHTS: dict[str, Any] = {"entry": "enter", "contract_data": "none", "application_data": "none"}


@pytest.mark.requirement("W4")
async def test_a_preview_says_what_each_axis_allows(firm: Firm) -> None:
    async def said(**rights: Any) -> str:
        answer = await firm.ask("POST", "/permissions/preview", RIGHTS | rights)
        assert answer.status == 200, answer.body
        return "\n".join(answer.body["sentences"])

    assert "申込情報の入力も申込みもできません。" in await said(entry="none")
    assert "申込みはできません。" in await said(entry="enter")
    assert "申込みができます。" in await said(entry="enter_and_apply")
    assert "締結済みの保険契約のすべての情報を参照できます。" in await said(contract_data="all")
    assert "締結済みの保険契約の情報は参照できません。" in await said(contract_data="none")
    assert "本人が行った" in await said(application_data="own")
    assert "すべてのID" in await said(application_data="all")
    assert "一度の操作で終える必要があります。" in await said(application_data="none")
    assert "一度の操作" not in await said(entry="none", application_data="none")
    listed = await said(contract_data="listed_riders", rider_codes=[RIDERS[3], RIDERS[1]])
    assert f"特約コード{RIDERS[1]}、{RIDERS[3]}の締結済みの保険契約の情報のみ参照できます。" in listed


async def test_a_preview_shows_the_menus_and_agrees_with_them(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(one_time_password=True)
    answer = await firm.ask("POST", "/permissions/preview", RIGHTS)
    found = {one["label"]: one["state"] for section in answer.body["menus"] for one in section["menus"]}
    assert found["事故に関するお手続き"] == "open"
    assert found["保険契約情報"] == "closed"
    assert found["Web申込状況一覧"] == "closed"
    assert "Webユーザー（管理者）情報変更" not in found
    assert any("ワンタイムパスワード" in one for one in answer.body["sentences"])


async def test_what_an_applicant_may_do_now_is_told_with_the_codes_that_count(firm: Firm) -> None:
    shown = await firm.register(contract_data="listed_riders", rider_codes=list(RIDERS[:2]))
    await firm.database.execute(
        "update companies set rider_codes = $2 where policyholder_code = $1", firm.code, [RIDERS[1]]
    )
    answer = await firm.ask("GET", f"/applicants/{shown['user_id']}/permissions")
    assert f"特約コード{RIDERS[1]}の締結済み" in "\n".join(answer.body["sentences"])
    await firm.database.execute("update companies set rider_codes = '{}' where policyholder_code = $1", firm.code)
    answer = await firm.ask("GET", f"/applicants/{shown['user_id']}/permissions")
    assert "有効なものがないため" in "\n".join(answer.body["sentences"])


@pytest.mark.requirement("L8")
async def test_a_disabled_applicant_may_do_nothing_and_the_reason_is_told(firm: Firm) -> None:
    shown = await firm.register()
    await firm.ask("PUT", f"/applicants/{shown['user_id']}", firm.change_of(shown, enabled=False))
    answer = await firm.ask("GET", f"/applicants/{shown['user_id']}/permissions")
    assert answer.body == {"sentences": ["使用状態が無効のため、ログインできません。"], "menus": []}


@pytest.mark.requirement("R131", "R134", "W5")
async def test_the_rider_codes_to_choose_from_are_the_policyholders(open_a_firm: OpenFirm) -> None:
    firm, other = await open_a_firm(), await open_a_firm(comprehensive=False)
    answer = await firm.ask("GET", "/rider-codes")
    assert answer.body == {"uses_comprehensive_insurance": True, "rider_codes": list(RIDERS)}
    assert (await other.ask("GET", "/rider-codes")).body == {"uses_comprehensive_insurance": False, "rider_codes": []}
