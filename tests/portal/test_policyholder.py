"""保険利用者情報: looked at by head office and branch, and changed in three steps."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from contracts.nexi import Document, PolicyholderRegistered, ProcedureCompleted
from deploy.local.seed import branch, head_office
from tests.portal.desks import Desk, Town
from tests.portal.errands import DAY, PDF, administrator, draft, fill_day, pink
from tests.support.unique import now

pytestmark = pytest.mark.browser

ORANGE = "rgb(199, 71, 0)"
"""Dark enough to be read on white."""
MENU = "保険利用者情報照会・変更"


@pytest.mark.requirement(
    "R40", "R43", "R44", "R45", "R46", "R47", "R48", "R50", "R166", "R168", "R169", "R170", "R172", "R182", "R183",
    "R184", "R185", "R186", "R187", "R189", "R190", "R191", "R194", "R195", "R196", "R197",
)  # fmt: skip
async def test_policyholder_information_is_changed_in_three_steps(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.press(MENU)
    assert await desk.title() == "保険利用者情報の詳細"
    await desk.press("変更する")
    assert await desk.title() == "保険利用者情報の変更: ステップ1 変更内容の入力"
    assert "変更内容の入力" in await desk.page.locator("[aria-current=step]").inner_text()
    orange = await desk.page.locator("[aria-current=step]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert orange == "rgb(255, 165, 0)"
    assert not await pink(desk, "#name")
    assert await desk.page.get_by_role("link", name="保険利用者情報の詳細へ", exact=True).get_attribute("href") == (
        "/policyholder"
    )
    await desk.page.locator("#name").fill("")
    await desk.press("変更内容の確認へ")
    assert await desk.errors() == [
        "変更適用希望日は必須項目です。入力してください。",
        "保険利用者名（漢字）は必須項目です。入力してください。",
    ]
    assert await pink(desk, "#name")
    assert await pink(desk, "[name=wished_date_2]")
    await desk.page.locator("#name").fill("株式会社ﾐﾎﾝ商事")
    await fill_day(desk, "2020-04-01")
    await desk.press("変更内容の確認へ")
    assert await desk.errors() == ["変更適用希望日には、本日以降の日付を指定してください。"]
    assert await desk.page.locator("#name").input_value() == "株式会社ﾐﾎﾝ商事", "what was typed stays"
    await fill_day(desk)
    await desk.press("変更内容の確認へ")
    assert await desk.title() == "保険利用者情報の変更: ステップ2 変更内容の確認"
    number = await desk.page.locator("#number").inner_text()
    assert await desk.page.locator("#number").evaluate("e => getComputedStyle(e).color") == ORANGE
    for link in ("保険利用者情報の詳細へ", "修正する", "Web申込状況一覧へ"):
        assert await desk.page.get_by_role("link", name=link, exact=True).count() == 1
    text = await desk.text()
    assert f"Web申込番号 {number} で保存されており" in text.replace("\n", " ")
    year, month, day = DAY.split("-")
    assert f"{year}年{month}月{day}日" in text
    changed = await desk.page.locator("tr.changed").all_inner_texts()
    assert len(changed) == 1, "only what was overwritten is applied for"
    assert "株式会社ミホン商事" in changed[0]
    assert "変更前: 株式会社見本商事" in changed[0]
    await desk.press("<<前の画面に戻る")
    assert await desk.title() == "保険利用者情報の変更: ステップ1 変更内容の入力"
    await desk.press("<<前の画面に戻る")
    await desk.press("修正する")
    assert await desk.page.locator("#name").input_value() == "株式会社ミホン商事"
    await desk.page.locator("[name=phone_1]").fill("０６")
    await desk.press("変更内容の確認へ")
    assert await desk.page.locator("#number").inner_text() == number
    assert len(await desk.page.locator("tr.changed").all()) == 2
    await desk.press("申込み")
    assert await desk.title() == "保険利用者情報の変更: 申込完了"
    text = await desk.text()
    assert "申込情報は日本貿易保険に送信されました。" in text
    assert number in text
    assert "06-1234-5678" in text
    for link in ("保険利用者情報の詳細へ", "Web申込状況一覧へ", "ユーザーページへ"):
        assert await desk.page.get_by_role("link", name=link, exact=True).count() == 1


@pytest.mark.requirement("R108", "R167")
async def test_a_branch_sees_and_changes_fewer_items(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town, profile=branch("100000002", "b@sample.com").profile))
    await desk.open("/policyholder")
    assert "保険利用者（支店）" in await desk.text()
    assert "登記所在地" not in await desk.text()
    await draft(desk, "大阪府大阪市北区梅田２－２")
    assert "ホームページ" not in await desk.text()
    await desk.press("申込み")
    assert "申込情報は日本貿易保険に送信されました。" in await desk.text()


@pytest.mark.parametrize("office", [head_office, branch])
@pytest.mark.requirement("R56", "R59", "R61")
async def test_two_tabs_explain_what_the_other_one_saved_and_offer_it_again(
    desk: Desk, town: Town, office: Callable[[str, str], PolicyholderRegistered]
) -> None:
    await desk.enter(await administrator(town, profile=office("100000002", "b@sample.com").profile))
    number = await draft(desk, "東京都港区１－１")
    other = await desk.page.context.new_page()
    await other.goto(f"{town.url}/applications/{number}/input")
    await desk.press("修正する")
    await other.locator("#address").fill("東京都港区２－２")
    await other.get_by_role("button", name="変更内容の確認へ").click()
    await desk.page.locator("#address").fill("東京都港区３－３")
    await desk.press("変更内容の確認へ")
    text = await desk.text()
    assert "内容が更新されています" in text
    assert "現在の保存内容: 東京都港区２－２" in text
    assert await desk.page.locator("#address").input_value() == "東京都港区３－３"
    await other.get_by_role("button", name="申込み", exact=True).wait_for()
    await desk.press("変更内容の確認へ")
    assert "東京都港区３－３" in await desk.text()
    await other.get_by_role("button", name="申込み", exact=True).click()
    await other.get_by_text("最新の内容をご確認のうえ、お申込みください。").wait_for()
    assert "東京都港区３－３" in await other.locator("main").inner_text()


@pytest.mark.requirement("R47", "R57", "R58", "R59", "R60", "R61")
async def test_back_reload_and_double_clicks_after_the_application_do_no_harm(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    number = await draft(desk, "東京都港区４－４")
    await desk.page.get_by_role("button", name="申込み", exact=True).dblclick()
    await desk.page.wait_for_url("**/done")
    await desk.page.go_back()
    await desk.page.wait_for_url("**/done")
    await desk.page.reload()
    assert number in await desk.text()
    await desk.open(f"/applications/{number}/input")
    assert desk.path() == f"/applications/{number}"
    steps = await desk.page.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert steps.count("申込み") == 1


@pytest.mark.requirement("R53", "R198", "R199", "R260")
async def test_a_completed_change_is_announced_and_its_notice_downloaded(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    number = await draft(desk, "東京都港区５－５")
    await desk.press("申込み")
    day = datetime.fromisoformat(DAY).date()
    notice = Document(title="変更手続完了通知書", pdf=base64.b64encode(PDF).decode())
    await town.outside.say(ProcedureCompleted(number=number, effective_date=day, document=notice, issued_at=now()))
    await desk.open("/policyholder")
    async with asyncio.timeout(10):
        while number not in await desk.text():
            await asyncio.sleep(0.2)
            await desk.page.reload()
    assert "反映されます" in await desk.text()
    await desk.open(f"/applications/{number}")
    assert "手続完了" in await desk.text()
    async with desk.page.expect_download() as waiting:
        await desk.page.get_by_role("link", name="通知書ダウンロード").click()
    download = await waiting.value
    assert download.suggested_filename == f"{number}.pdf"
    assert Path(await download.path()).read_bytes() == PDF
    for address in ("/policyholder/history", "/policyholder/history?before=9999999999"):
        await desk.open(address)
        assert "（現在）" in await desk.text()


@pytest.mark.requirement("R106")
async def test_an_applicant_sees_the_information_and_cannot_change_it(
    open_desk: Callable[..., Awaitable[Desk]], town: Town
) -> None:
    applicant = await town.applicant(await administrator(town))
    desk = await open_desk()
    await desk.enter(applicant)
    await desk.press("保険利用者情報照会")
    assert "株式会社見本商事" in await desk.text()
    assert await desk.page.get_by_role("link", name="変更する").count() == 0
    await desk.open("/policyholder/change")
    assert await desk.title() == "ご利用いただけません"
