"""Every operation of the manual's catalogue is recorded, whoever reports it, and downloaded exactly as printed."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pytest import mark, param

from applications.rules.procedures import KINDS
from chassis.service import Runtime
from contracts.applications import ApplicationListViewed
from contracts.identity import LoginSucceeded, PasswordChanged
from contracts.operations import REPORTED, SESSIONS, Operation
from tests.audit.conftest import Company, performed, rows, set_aside
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

JAPAN = timedelta(hours=9)


@pytest.fixture(scope="module")
async def downloaded(platform: Platform, audit: Runtime, client: aiohttp.ClientSession) -> Mapping[str, list[str]]:
    """The column 操作内容 for two people: of 001 front ends report over HTTP, of 002 another system over the broker;
    the rest our own services say."""
    code = unique.policyholder_code()
    company = Company(platform, audit.url, client, code, callers.administrator(code))
    now = datetime.now(UTC)
    for operation in Operation:
        status, answer = await company.report(operation.value, secrets.token_hex(8), company.applicant(1))
        assert (status, "errors" in answer) == ((202, False) if operation in REPORTED else (422, True)), answer
    await platform.say("identity", LoginSucceeded(operator=company.operator(1)))
    await platform.say("identity", PasswordChanged(operator=company.operator(1), forced=False))
    said = [
        ApplicationListViewed(operator=company.operator(1), operation=one) for one in {*Operation} - REPORTED - SESSIONS
    ]
    await platform.say("applications", *said)
    await company.did(*((company.operator(2), operation, now) for operation in Operation))
    await company.has(2 * len(Operation))
    days = [f"{moment + JAPAN:%Y-%m-%d}" for moment in (now, datetime.now(UTC))]
    found: dict[str, list[str]] = {}
    for line in (await company.download(await company.search(*days))).decode("utf-8-sig").split("\r\n")[1:-1]:
        user_id, _, printed, *_ = line.split(",")
        found.setdefault(user_id[-3:], []).append(printed)
    return found


@mark.requirement("H1")
def test_our_own_are_those_of_sessions_the_list_and_the_procedures() -> None:
    """applications lists the procedures; audit and front ends know them from the contracts."""
    codes = {code for kind in KINDS for code in (kind.entry, kind.application) if code}
    own = {*SESSIONS, Operation.APPLICATION_LIST_VIEW, Operation.NOTICE_DOWNLOAD, *codes}
    assert own == {*Operation} - REPORTED


@mark.requirement("H1")
@mark.parametrize("operation", sorted(SESSIONS))
async def test_no_other_system_says_that_somebody_logged_in(
    platform: Platform, company: Company, operation: Operation
) -> None:
    async with platform.nexi as speaker:
        (event_id,) = await speaker.publish(performed(company.operator(), operation, datetime.now(UTC)))
    assert await eventually(lambda: set_aside(platform, event_id)) == "operation: only identity says this (H1)"
    assert await rows(platform, company.code) == []


@mark.requirement("R254")
def test_nothing_but_the_catalogue_is_in_the_file(downloaded: Mapping[str, list[str]]) -> None:
    assert {user: len(printed) for user, printed in downloaded.items()} == {"001": 43, "002": 43}
    assert len({*downloaded["001"], *downloaded["002"]}) == 43


@mark.parametrize(
    "printed",
    [
        param("[1-1]ログイン", marks=mark.requirement("R256")),
        param("[1-2]パスワード変更", marks=mark.requirement("R257")),
        param("[1-3]海外商社の検索", marks=mark.requirement("R258")),
        param("[1-4]Web申込状況一覧の参照", marks=mark.requirement("R259")),
        param("[1-5]通知書ダウンロード（Web申込状況一覧）", marks=mark.requirement("R260")),
        param("[2-1]申込情報の入力と保存（海外商社登録・変更）", marks=mark.requirement("R262")),
        param("[2-2]申込み（海外商社登録・変更）", marks=mark.requirement("R263")),
        param("[2-3]申込情報の入力と保存（スリーピング解除）", marks=mark.requirement("R264")),
        param("[2-4]申込み（スリーピング解除）", marks=mark.requirement("R265")),
        param("[2-5]ブックマークバイヤー登録", marks=mark.requirement("R266")),
        param("[2-6]ブックマークバイヤー削除", marks=mark.requirement("R267")),
        param("[3-1]申込情報の入力と保存（個別新規）", marks=mark.requirement("R269")),
        param("[3-2]申込み（個別新規）", marks=mark.requirement("R270")),
        param("[3-3]申込情報の入力と保存（個別内容変更）", marks=mark.requirement("R271")),
        param("[3-4]申込み（個別内容変更）", marks=mark.requirement("R272")),
        param("[4-1]申込情報の入力と保存（中小新規）", marks=mark.requirement("R274")),
        param("[4-2]申込み（中小新規）", marks=mark.requirement("R275")),
        param("[5-1]個別（通知）入力と保存（包括保険共通）", marks=mark.requirement("R277")),
        param(
            "[5-2]台帳（ファイル）アップロードまたは個別（通知）入力の一括申請（包括保険共通）",
            marks=mark.requirement("R278"),
        ),
        param("[6-1]申込情報の入力と保存（個別保証枠確認）", marks=mark.requirement("R280")),
        param("[6-2]申込み（個別保証枠確認）", marks=mark.requirement("R281")),
        param("[6-3]確認証ダウンロード（個別保証枠確認）", marks=mark.requirement("R282")),
        param("[6-4]申込情報の入力と保存（決済/枠戻通知）", marks=mark.requirement("R283")),
        param("[6-5]申込み（決済/枠戻通知）", marks=mark.requirement("R284")),
        param("[7-1]申込情報の入力と保存（損失等発生通知）", marks=mark.requirement("R286")),
        param("[7-2]申込み（損失等発生通知）", marks=mark.requirement("R287")),
        param("[7-3]申込情報の入力と保存（入金通知）", marks=mark.requirement("R288")),
        param("[7-4]申込み（入金通知）", marks=mark.requirement("R289")),
        param("[7-5]申込情報の入力と保存（猶予申請）", marks=mark.requirement("R290")),
        param("[7-6]申込み（猶予申請）", marks=mark.requirement("R291")),
        param("[8-1]照会・契約台帳の提供データダウンロード（包括保険共通）", marks=mark.requirement("R293")),
        param("[8-2]保険契約情報ダウンロード", marks=mark.requirement("R294")),
        param("[8-3]事故概要情報ダウンロード", marks=mark.requirement("R295")),
        param("[8-4]債権一覧表ダウンロード", marks=mark.requirement("R296")),
        param("[9-1]企業総合保険特約手続状況一覧の参照", marks=mark.requirement("R298")),
        param("[9-2]申込情報の入力と保存（企業総合保険特約）", marks=mark.requirement("R299")),
        param("[9-3]設定希望情報の送信（企業総合保険特約）", marks=mark.requirement("R300")),
        param("[9-4]申込み（企業総合保険特約）", marks=mark.requirement("R301")),
        param("[9-5]特約一覧表兼支払限度額設定書（年度更新確認用）ダウンロード", marks=mark.requirement("R302")),
        param("[9-6]特約一覧表兼支払限度額設定書（期中登録確認用）ダウンロード", marks=mark.requirement("R303")),
        param("[9-7]特約一覧表兼支払限度額設定書（年度更新）ダウンロード", marks=mark.requirement("R304")),
        param("[9-8]特約一覧表兼支払限度額設定書（期中登録）ダウンロード", marks=mark.requirement("R305")),
        param("[9-9]特約一覧表兼支払限度額設定書（全企総登録）ダウンロード", marks=mark.requirement("R306")),
    ],
)  # fmt: skip
def test_the_operation_is_recorded_and_downloaded(downloaded: Mapping[str, list[str]], printed: str) -> None:
    """Reported with the user's own token, and by NEXI's systems; code and label as the manual's samples print them."""
    assert [lines.count(printed) for lines in downloaded.values()] == [1, 1]


@mark.parametrize(
    ("number", "label", "last"),
    [
        param(1, "基本機能", "1-5", marks=mark.requirement("R255")),
        param(2, "海外商社登録・変更 スリーピング解除", "2-6", marks=mark.requirement("R261")),
        param(3, "保険の申込み (貿易一般保険 (個別保険))", "3-4", marks=mark.requirement("R268")),
        param(4, "保険の申込み (中小企業・農林水産業輸出代金保険)", "4-2", marks=mark.requirement("R273")),
        param(5, "保険の申込み (包括保険共通)", "5-2", marks=mark.requirement("R276")),
        param(6, "個別保証枠", "6-5", marks=mark.requirement("R279")),
        param(7, "事故関連手続き (Webサービス対象保険種共通)", "7-6", marks=mark.requirement("R285")),
        param(8, "情報照会", "8-4", marks=mark.requirement("R292")),
        param(9, "企業総合保険特約のお手続き", "9-9", marks=mark.requirement("R297")),
    ],
)  # fmt: skip
async def test_the_catalogue_is_served_in_its_groups(company: Company, number: int, label: str, last: str) -> None:
    """To front ends, which report by these codes."""
    async with company.client.get(
        f"{company.url}/operations", headers=company.platform.headers(company.applicant(1))
    ) as response:
        groups = await response.json()
    assert [group["number"] for group in groups] == list(range(1, 10))
    group = groups[number - 1]
    assert (group["label"], group["operations"][-1]["operation"]) == (label, last)
    assert {one["operation"].partition("-")[0] for one in group["operations"]} == {str(number)}
