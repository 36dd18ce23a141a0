"""The user page: notices, menus in their two patterns and why some are closed, the one-time password, help."""

import pytest

from contracts.nexi import NoticePublished
from deploy.local.outsiders import secret_in
from tests.portal.desks import Desk, Town
from tests.portal.errands import administrator, use_one_time_passwords
from tests.support import unique
from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

MENUS = (
    "Web申込状況一覧", "海外商社登録等のお手続き", "保険申込み・変更のお手続き", "個別保証枠のお手続き",
    "企業総合保険特約のお手続き", "事故に関するお手続き", "電子申請のお手続き", "保険料試算（詳細版）", "海外商社情報",
    "保険契約情報", "パスワード変更", "Webユーザー情報照会", "口座情報照会", "保険利用者情報照会",
)  # fmt: skip
ADMINISTRATION = (
    "Webユーザー（管理者）情報変更", "Webユーザー（申込者）情報照会・追加・変更", "口座情報照会・登録・変更",
    "保険利用者情報照会・変更", "アクセス履歴出力",
)  # fmt: skip


@pytest.mark.requirement(
    "R1", "R9", "R20", "R21", "R22", "R23", "R24", "R25", "R26", "R27", "R28", "R29", "R31", "R40", "R68", "R73", "R95"
)  # fmt: skip
async def test_every_function_is_reached_from_the_user_page(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    links = await desk.page.locator(".menus a").all_inner_texts()
    assert [menu for menu in (*MENUS, *ADMINISTRATION) if menu not in links] == []
    headings = await desk.page.locator(".menus h2").all_inner_texts()
    assert {"保険利用者情報・ユーザー管理", "管理項目"} <= set(headings)
    for address in await desk.page.locator(".menus a").evaluate_all("all => all.map(a => a.getAttribute('href'))"):
        await desk.open(address)
        assert await desk.title() not in ("ページが見つかりません", "ただいまご利用いただけません"), address
        assert desk.path() == address.partition("?")[0]


@pytest.mark.requirement("R73", "R76", "R89", "R99", "R100")
async def test_an_applicant_sees_no_administration_and_why_menus_are_closed(desk: Desk, town: Town) -> None:
    admin = await town.administrator(uses_comprehensive_insurance=False, rider_codes=())
    applicant = await town.applicant(admin, entry="none", application_data="none")
    await desk.enter(applicant)
    text = await desk.text()
    assert "管理項目" not in text
    assert "このメニューを利用する権限がありません。" in text
    assert await desk.page.get_by_role("link", name="電子申請のお手続き").count() == 0
    await desk.press("Webユーザー情報照会")
    assert applicant.email in await desk.text()
    assert await desk.page.locator("main input, main select").count() == 0, "nothing can be changed here"
    await desk.open("/applicants")
    assert await desk.title() == "ご利用いただけません"


@pytest.mark.requirement("R19", "N3")
async def test_the_newest_three_notices_are_shown_and_the_others_in_the_list(desk: Desk, town: Town) -> None:
    from datetime import UTC, datetime, timedelta

    admin = await town.administrator()
    now, word = datetime.now(UTC), unique.word("n")
    await town.outside.say(*(
        NoticePublished(
            issued_at=now,
            notice_id=f"{word}-{number}",
            title=f"{word} 第{number}号 <b>太字</b>",
            body="一行目\n<script>alert(1)</script>",
            published_from=now - timedelta(seconds=10 - number),
        )
        for number in range(1, 5)
    ))  # fmt: skip
    await desk.enter(admin)

    async def four() -> bool:
        await desk.open("/notices")
        return (await desk.text()).count(word) == 4

    await eventually(four)
    await desk.open("/")
    shown = [one for one in await desk.page.locator("main li a").all_inner_texts() if word in one]
    assert shown == [f"{word} 第{number}号 <b>太字</b>" for number in (4, 3, 2)]
    await desk.press("掲載中のお知らせ一覧")
    await desk.press(f"{word} 第1号 <b>太字</b>")
    assert "<script>alert(1)</script>" in await desk.text()


@pytest.mark.requirement(
    "R30", "R318", "R320", "R321", "R324", "R325", "R326", "R327", "R328", "R329", "R330", "R331", "R332", "R334", "O1"
)  # fmt: skip
async def test_a_one_time_password_opens_the_protected_menus(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await use_one_time_passwords(town, admin.code, use=True)
    await desk.enter(admin)
    text = await desk.text()
    assert text.count("ワンタイムパスワードにより保護されています") > 5
    open_now = await desk.page.locator(".menus a:not(.closed)").all_inner_texts()
    assert {"保険料試算（詳細版）", "海外商社情報", "海外商社登録等のお手続き"} <= set(open_now)
    assert not {"パスワード変更", "Web申込状況一覧", "アクセス履歴出力"} & set(open_now)
    await desk.press("海外商社登録等のお手続き")
    await desk.press("海外商社登録・変更")
    await desk.page.locator("#subject").fill("商社の登録")
    await desk.page.locator("#body").fill("見本")
    await desk.press("申込内容の確認へ")
    await desk.press("申込む")
    assert "申込情報は日本貿易保険に送信されました。" in await desk.text()
    await desk.open("/procedures/accident_procedures")
    assert await desk.title() == "ワンタイムパスワード入力"
    await desk.open("/")
    await desk.press("Webユーザー（申込者）情報照会・追加・変更")
    assert await desk.title() == "ワンタイムパスワード入力"
    assert "ワンタイムパスワードにより保護されています" in await desk.text()
    before = await town.outside.newest_mail(admin.email)
    await desk.press("ワンタイムパスワードの発行")
    assert "入力を2回間違えると失効します" in await desk.text()
    code = secret_in((await town.outside.mail_to(admin.email, "ワンタイムパスワード", after=before))["text"])
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for sentence in ("もう一度間違えると失効します", "失効しています"):
        await desk.page.locator("#code").fill(wrong)
        await desk.press("認証")
        assert sentence in await desk.text()
    before = await town.outside.newest_mail(admin.email)
    await desk.press("ワンタイムパスワードの発行")
    code = secret_in((await town.outside.mail_to(admin.email, "ワンタイムパスワード", after=before))["text"])
    await desk.page.locator("#code").fill(code)
    await desk.press("認証")
    assert desk.path() == "/applicants", "where the person wanted to go"
    await desk.open("/")
    assert "ワンタイムパスワードにより保護されています" not in await desk.text()


@pytest.mark.requirement("R14", "R15", "R16", "R17", "R54", "R55", "R130")
async def test_tools_and_help_are_at_hand(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin, "/applicants/new")
    tools = desk.page.get_by_role("navigation", name="ツール")
    for words in ("画面印刷", "マニュアル", "ヘルプ", "お問い合わせ"):
        assert await tools.get_by_role("link", name=words, exact=True).get_attribute("href")
    await desk.page.get_by_role("button", name="情報データ参照範囲のヘルプ").click()
    assert await desk.page.get_by_text("締結済み保険契約情報の参照に関する権限です").is_visible()
    await desk.page.keyboard.press("Escape")
    assert not await desk.page.get_by_text("締結済み保険契約情報の参照に関する権限です").is_visible()
    await desk.page.evaluate("window.print = () => { window.printed = true }")
    await tools.get_by_role("link", name="画面印刷").click()
    assert await desk.page.evaluate("window.printed")
    await desk.page.emulate_media(media="print")
    assert not await tools.is_visible()
    await desk.page.emulate_media(media="screen")
    async with desk.page.expect_popup() as opening:
        await tools.get_by_role("link", name="ヘルプ", exact=True).click()
    explained = (await opening.value).get_by_role("main")
    assert "締結済み保険契約情報の参照に関する権限です" in await explained.inner_text()
    await desk.open("/notices")
    assert await tools.get_by_role("link", name="ヘルプ", exact=True).count() == 0, "not every screen has help"


@pytest.mark.requirement("L9")
async def test_other_sessions_of_ones_own_are_ended_one_or_all(desk: Desk, open_desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.log_in(admin)
    others = [await open_desk(), await open_desk(), await open_desk()]
    for other in others:
        await other.log_in(admin)
    await desk.open("/sessions")
    rows = desk.page.locator("tr", has_text="終了する")
    running = await rows.count()
    assert running >= 3
    await rows.first.get_by_role("button").click()
    await desk.page.get_by_text("1件のログインを終了しました。").wait_for()
    assert await rows.count() == running - 1
    ended = [other for other in others if not await _is_in(other)]
    assert len(ended) == 1
    button = rows.first.get_by_role("button")
    await admin.person.call("DELETE", "identity", f"/sessions/{await button.get_attribute('value')}")
    await button.click()
    await desk.page.get_by_text("このログインはすでに終了しています。").wait_for()
    running -= 1
    await desk.press("この端末以外をすべて終了する")
    assert f"{running - 1}件のログインを終了しました。" in await desk.text()
    assert await rows.count() == 0
    assert not any([await _is_in(other) for other in others])
    assert await _is_in(desk)


async def _is_in(desk: Desk) -> bool:
    await desk.open("/own-information")
    return desk.path() == "/own-information"
