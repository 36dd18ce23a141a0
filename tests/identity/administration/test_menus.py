"""The menu shows what exists for the caller, what is open, and why something is not."""

from typing import Any

import pytest

from contracts.caller import Caller
from contracts.permissions import ApplicationData, ContractData, Entry, Permission
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import Firm
from tests.support import callers

EXEMPT = {"保険料試算（詳細版）", "海外商社情報", "海外商社登録等のお手続き"}
PROTECTED = "ワンタイムパスワードにより保護されています"


async def menu(firm: Firm, caller: Caller) -> dict[str, Any]:
    answer = await firm.ask("GET", "/menu", caller=caller)
    assert answer.status == 200, answer.body
    page: dict[str, Any] = answer.body
    return page


def menus(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By label."""
    return {one["label"]: one for section in page["sections"] for one in section["menus"]}


@pytest.mark.requirement("R9", "R20", "R21", "R22", "R23", "R24", "R25", "R26", "R27", "R28", "R29", "R95", "R109")
async def test_an_administrator_finds_every_menu_open_in_the_manuals_order(firm: Firm) -> None:
    page = await menu(firm, firm.administrator)
    assert [(one["number"], one["label"]) for one in page["sections"]] == [
        ("⑦", "Web申込状況一覧"),
        ("⑧", "海外商社登録等のお手続き"),
        ("⑨", "保険申込み・変更のお手続き"),
        ("⑩", "個別保証枠のお手続き"),
        ("⑪", "企業総合保険特約のお手続き"),
        ("⑫", "事故に関するお手続き"),
        ("⑬", "電子申請のお手続き"),
        ("⑭", "保険料試算"),
        ("⑮", "各種情報照会"),
        ("⑯", "保険利用者情報・ユーザー管理"),
        ("", "管理項目"),
    ]
    assert {one["state"] for one in menus(page).values()} == {"open"}
    assert {one["message"] for one in menus(page).values()} == {None}
    sections = {one["label"]: [each["label"] for each in one["menus"]] for one in page["sections"]}
    assert sections["管理項目"] == [
        "Webユーザー（管理者）情報変更",
        "Webユーザー（申込者）情報照会・追加・変更",
        "口座情報照会・登録・変更",
        "保険利用者情報照会・変更",
        "アクセス履歴出力",
    ]
    assert sections["保険利用者情報・ユーザー管理"] == [
        "パスワード変更",
        "Webユーザー情報照会",
        "口座情報照会",
        "保険利用者情報照会",
    ]
    patterns = {one["label"]: one["pattern"] for one in menus(page).values()}
    assert {label for label, pattern in patterns.items() if pattern == 2} == {
        "保険申込み・変更のお手続き",
        "保険料試算（詳細版）",
        "海外商社情報",
        "保険契約情報",
    }


@pytest.mark.requirement("R73")
async def test_management_is_shown_to_administrators_only(firm: Firm) -> None:
    for caller in (callers.applicant(firm.code, 1), callers.group_viewer((firm.code,))):
        assert "管理項目" not in [one["label"] for one in (await menu(firm, caller))["sections"]]


@pytest.mark.requirement("R76", "R77", "R78", "R79", "R81", "R82", "W4")
@pytest.mark.parametrize(
    ("entry", "contract_data", "application_data", "closed"),
    [
        (Entry.NONE, ContractData.ALL, ApplicationData.ALL, {"海外商社登録等のお手続き", "事故に関するお手続き"}),
        (Entry.ENTER, ContractData.NONE, ApplicationData.OWN, {"保険契約情報"}),
        (Entry.ENTER_AND_APPLY, ContractData.ALL, ApplicationData.NONE, {"Web申込状況一覧"}),
    ],
)
async def test_an_applicant_finds_closed_what_a_permission_lacks(
    firm: Firm, entry: Entry, contract_data: ContractData, application_data: ApplicationData, closed: set[str]
) -> None:
    caller = callers.applicant(
        firm.code, 1, entry=entry, contract_data=contract_data, application_data=application_data
    )
    found = menus(await menu(firm, caller))
    shut = {label for label, one in found.items() if one["state"] == "closed"}
    assert closed <= shut
    assert shut == closed or entry is Entry.NONE
    assert {found[label]["reason"] for label in shut} == {"no_permission"}


@pytest.mark.requirement("R324", "R325", "R326", "R327", "R328", "R30", "O3")
async def test_before_the_one_time_password_only_the_three_exempt_menus_are_open(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(one_time_password=True)
    page = await menu(firm, callers.administrator(firm.code, stepped_up=False))
    found = menus(page)
    assert page["one_time_password_due"] is True
    assert {label for label, one in found.items() if one["state"] == "open"} == {*EXEMPT, "ワンタイムパスワードの入力"}
    protected = [one for one in found.values() if one["state"] == "protected"]
    assert {one["message"] for one in protected} == {PROTECTED}
    assert len(protected) == len(found) - 4


@pytest.mark.requirement("R330", "R332", "R30")
async def test_after_the_one_time_password_all_menus_are_open_and_the_entry_says_so(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(one_time_password=True)
    found = menus(await menu(firm, callers.administrator(firm.code)))
    entry = found.pop("ワンタイムパスワードの入力")
    assert (entry["state"], entry["reason"]) == ("closed", "already_entered")
    assert {one["state"] for one in found.values()} == {"open"}


async def test_riders_are_closed_without_comprehensive_insurance(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(comprehensive=False)
    found = menus(await menu(firm, firm.administrator))
    assert found["企業総合保険特約のお手続き"]["reason"] == "no_comprehensive_insurance"


@pytest.mark.requirement("L5", "O3")
async def test_a_session_on_a_temporary_password_may_only_choose_a_password(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(one_time_password=True)
    fresh = callers.administrator(firm.code, stepped_up=False).model_copy(
        update={"may": frozenset({Permission.CHANGE_PASSWORD})}
    )
    page = await menu(firm, fresh)
    found = menus(page)
    assert page["must_change_password"] is True
    assert {label for label, one in found.items() if one["state"] == "open"} == {"パスワード変更"}
    assert {one["reason"] for one in found.values()} == {None, "password_change_due"}


async def test_without_a_token_there_is_no_menu(firm: Firm) -> None:
    assert (await firm.ask("GET", "/menu", headers={"Authorization": ""})).status == 401
