"""Web申込状況一覧: searched, sorted, resumed and withdrawn; and the procedures of the other chapters."""

import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import FormData

from tests.portal.bare import Browser
from tests.portal.desks import Desk, Town
from tests.portal.errands import PDF, administrator, draft, fill_account, fill_day, register_account

pytestmark = pytest.mark.browser

PROCEDURES = {
    "海外商社登録等のお手続き": ("海外商社登録・変更", "スリーピング解除"),
    "保険申込み・変更のお手続き": (
        "貿易一般保険（個別保険）個別新規",
        "貿易一般保険（個別保険）個別内容変更",
        "包括保険共通",
        "中小企業・農林水産業輸出代金保険 中小新規",
    ),
    "個別保証枠のお手続き": ("個別保証枠確認", "決済／枠戻通知"),
    "企業総合保険特約のお手続き": ("企業総合保険特約 設定希望情報", "企業総合保険特約"),
    "事故に関するお手続き": ("損失等発生通知", "入金通知", "猶予申請"),
    "電子申請のお手続き": ("電子申請",),
}
ELECTRONIC = "/procedures/electronic_application_procedures/electronic_application"


async def enter(desk: Desk, subject: str, body: str = "内容") -> None:
    """The two fields that every other procedure must have."""
    await desk.page.locator("#subject").fill(subject)
    await desk.page.locator("#body").fill(body)


@pytest.mark.requirement("R20", "R49", "R188", "R199", "R227")
async def test_a_draft_is_found_in_the_list_resumed_and_applied_for(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    number = await draft(desk, "東京都港区６－６")
    account = await register_account(desk, "5555555")
    await desk.open("/")
    await desk.press("Web申込状況一覧")
    assert "2件" in await desk.text()
    numbers = desk.page.locator("tbody th")
    assert await numbers.all_inner_texts() == [account, number]
    await desk.press("申込種類の昇順")
    assert await desk.page.locator("th[aria-sort=ascending]").inner_text() != ""
    await desk.page.get_by_label("入力中").check()
    await desk.press("検索")
    assert await numbers.all_inner_texts() == [number]
    await desk.page.reload()
    assert await numbers.all_inner_texts() == [number], "the conditions are in the address"
    await desk.press(f"{number} を再開")
    await desk.press("申込み")
    assert number in await desk.text()
    await desk.open("/applications?number=x")
    assert len(await desk.errors()) == 1


async def numbers_listed(desk: Desk) -> list[str]:
    """The numbers in Web申込状況一覧, the newest first."""
    await desk.open("/applications")
    return await desk.page.locator("tbody th").all_inner_texts()


@pytest.mark.requirement("R48", "R57", "R189", "P1")
async def test_going_back_to_a_new_input_and_confirming_again_corrects_its_draft(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    number = await draft(desk, "東京都港区８－８")
    for again in ("東京都港区８－８", "東京都港区９－９"):
        await desk.page.go_back()
        await fill_day(desk)
        await desk.page.locator("#address").fill(again)
        await desk.press("変更内容の確認へ")
        assert await desk.page.locator("#number").inner_text() == number
        assert again in await desk.text()
    await desk.page.go_back()
    await fill_day(desk)
    await desk.page.locator("#address").fill("東京都港区１－１")
    await desk.press("変更内容の確認へ")
    assert "現在の保存内容: 東京都港区９－９" in await desk.text(), "it was saved since that page was opened"
    await desk.press("変更内容の確認へ")
    await desk.press("申込み")
    assert await numbers_listed(desk) == [number]


@pytest.mark.requirement("R205", "R234", "P1")
async def test_going_back_after_an_application_begins_another_and_pressing_delete_twice_does_not(
    desk: Desk, town: Town
) -> None:
    await desk.enter(await administrator(town))
    first = await register_account(desk, "8888888")
    await desk.page.go_back()
    await desk.page.go_back()
    await fill_account(desk, "8888888", "保険金請求")
    await desk.press("申込内容の確認へ")
    await desk.press("申込む")
    second = await desk.page.locator("#number").inner_text()
    assert await numbers_listed(desk) == [second, first]
    deletions = []
    for _ in range(2):
        await desk.open("/accounts")
        await desk.page.get_by_role("radio").first.check()
        await desk.press("削除")
        deletions.append(await desk.page.locator("#number").inner_text())
    assert deletions[0] == deletions[1]
    assert await numbers_listed(desk) == [deletions[0], second, first]


@pytest.mark.requirement("R233")
async def test_a_deletion_has_no_input_to_go_back_to(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    await register_account(desk, "7777777")
    await desk.open("/accounts")
    await desk.page.get_by_role("radio").check()
    await desk.press("削除")
    draft = f"/applications/{await desk.page.locator('#number').inner_text()}"
    assert await desk.page.get_by_role("link", name="修正する").count() == 0
    await desk.open(f"{draft}/input")
    assert desk.path() == draft
    bare = Browser(town.url)
    await bare.log_in(admin)
    form = {"form_token": await bare.form_token("/administrator")}
    assert (await bare.ask("POST", f"{draft}/input", form))[:2] == (303, draft)


@pytest.mark.requirement("P1", "R188")
async def test_a_draft_is_withdrawn_after_the_message_box(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    number = await draft(desk, "東京都港区７－７")
    await desk.open(f"/applications/{number}")
    await desk.touch("取下げ")
    assert "よろしいですか？" in await desk.text()
    await desk.page.get_by_role("button", name="キャンセル").click()
    await desk.touch("取下げ")
    await desk.press("OK")
    await desk.page.get_by_text("この申込みを取り下げました。").wait_for()
    steps = desk.page.get_by_role("region", name="手続きの経過").locator("td:nth-child(2)")
    assert await steps.all_inner_texts() == ["入力内容の保存", "取下げ"]
    await desk.open("/applications")
    assert "0件" in await desk.text()
    await desk.open(f"/applications/{number}/confirmation")
    assert desk.path() == f"/applications/{number}"


@pytest.mark.requirement("R7", "R26", "R41", "R42", "R48")
async def test_an_electronic_application_carries_its_files(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.press("電子申請のお手続き")
    assert "手続きの流れ" in await desk.text()
    await desk.press("電子申請")
    await enter(desk, "住所変更の届出", "一行目\n二行目")
    await desk.press("ファイルの添付へ")
    assert await desk.title() == "電子申請: ファイルの添付"
    await desk.press("添付する")
    assert await desk.errors() == ["添付するPDFファイルを選択してください。"]
    for name, content in (("偽物.pdf", b"no pdf"), ("委任状.pdf", PDF)):
        await desk.page.set_input_files("#file", {"name": name, "mimeType": "application/pdf", "buffer": content})
        await desk.press("添付する")
    assert "委任状.pdf" in await desk.text()
    assert "偽物.pdf" not in await desk.text()
    await desk.press("申込内容の確認へ")
    assert "一行目\n二行目" in await desk.text()
    await desk.press("申込む")
    assert "委任状.pdf" in await desk.text()


@pytest.mark.requirement("R7", "R26", "R61")
async def test_two_clicks_are_one_and_two_files_are_two(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin, ELECTRONIC)
    await enter(desk, "添付の順序")
    await desk.press("ファイルの添付へ")
    path, browser = desk.path(), Browser(town.url)
    browser.be(admin)
    token = await browser.form_token(path)
    for name, content in (("A.pdf", PDF), ("A.pdf", PDF), ("B.pdf", PDF), ("B.pdf", PDF + b"\n")):
        form = FormData({"form_token": token})
        form.add_field("file", content, filename=name, content_type="application/pdf")
        assert (await browser.ask("POST", path, form))[:2] == (303, path)
    await desk.page.reload()
    attached = await desk.page.locator(f"a[href^='{path}/']").all_inner_texts()
    assert attached == ["A.pdf", "B.pdf", "B.pdf"]


@pytest.mark.requirement("R13", "R22", "R31", "R38", "R40")
async def test_an_insurance_procedure_wears_the_second_pattern(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.press("保険申込み・変更のお手続き")
    assert await desk.page.get_by_role("button", name="終了").count() == 1
    await desk.press("包括保険共通")
    await desk.press("申込内容の確認へ")
    assert await desk.errors() == [
        "件名は必須項目です。入力してください。", "申込内容は必須項目です。入力してください。",
    ]  # fmt: skip
    await enter(desk, "台帳の通知")
    await desk.press("申込内容の確認へ")
    number = await desk.page.locator("#number").inner_text()
    assert re.fullmatch(r"[0-9]{4}-[0-9]{4}-[0-9]{4,5}", number)
    await desk.press("終了")
    assert desk.path() == "/logged-out"


@pytest.mark.requirement("R2", "R3", "R4", "R5", "R6", "R7", "R21", "R23", "R24", "R25", "R40", "P2")
async def test_every_procedure_of_the_catalogue_is_entered_from_its_menu(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    for menu, procedures in PROCEDURES.items():
        await desk.open("/")
        await desk.press(menu)
        links = desk.page.locator("h2:text('手続きの選択') + ul a")
        assert await links.all_inner_texts() == list(procedures)
        addresses = await links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
        for procedure, address in zip(procedures, addresses, strict=True):
            await desk.open(address)
            assert await desk.title() == f"{procedure}: 申込内容の入力"
            assert await desk.page.locator("#subject").count() == 1


@pytest.mark.requirement("R57", "R60", "P1")
async def test_a_window_that_was_closed_loses_nothing_that_was_confirmed_and_a_double_click_is_one_draft(
    desk: Desk, town: Town
) -> None:
    await desk.enter(await administrator(town), "/policyholder/change")
    await fill_day(desk)
    await desk.page.locator("#address").fill("東京都港区３－３")
    await desk.page.get_by_role("button", name="変更内容の確認へ").dblclick()
    await desk.page.wait_for_url("**/confirmation")
    again = Desk(await desk.page.context.new_page(), town)
    await desk.page.close()
    [number] = await numbers_listed(again)
    await again.press(f"{number} を再開")
    assert "東京都港区３－３" in await again.text()
    await again.press("申込み")
    assert await again.title() == "保険利用者情報の変更: 申込完了"


@pytest.mark.requirement("P3", "P4")
async def test_an_applicant_who_may_only_enter_saves_what_somebody_else_applies_for(
    open_desk: Callable[..., Awaitable[Desk]], town: Town
) -> None:
    admin = await administrator(town)
    office, desk = await open_desk(), await open_desk()
    await desk.enter(await town.applicant(admin, entry="enter"))
    await desk.open("/procedures/accident_procedures/loss_notice")
    await enter(desk, "損失の発生")
    await desk.press("申込内容の確認へ")
    number = await desk.page.locator("#number").inner_text()
    assert "入力内容は保存されています" in await desk.text()
    assert await desk.page.get_by_role("button", name="申込む").count() == 0
    await office.enter(admin, f"/applications/{number}/confirmation")
    await office.press("申込む")
    assert number in await office.text()
    stranger = await open_desk()
    await stranger.enter(await administrator(town))
    await stranger.open(f"/applications/{number}")
    assert await stranger.title() == "ページが見つかりません"
