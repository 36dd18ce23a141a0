"""Logging in and out, as the manual's first screens show it."""

import re

import pytest

from deploy.local.outsiders import new_password, secret_in
from tests.portal.desks import Desk, Town
from tests.portal.errands import pink

pytestmark = pytest.mark.browser


@pytest.mark.requirement("R10", "R11", "R12", "R18", "R32", "R33", "R35", "R38", "R13", "L2")
async def test_login_leads_to_the_user_page_with_its_header_and_logout_ends_it(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.open("/")
    assert desk.path() == "/login"
    assert await desk.page.get_by_role("link", name="NEXIのWebサイトトップページへ").get_attribute("href") == (
        "https://www.nexi.go.jp/"
    )
    await desk.log_in(admin)
    assert await desk.title() == "ユーザーページ"
    assert await desk.page.locator("#user-id").inner_text() == admin.user_id
    assert await desk.page.locator("#policyholder-code").inner_text() == admin.code
    assert await desk.page.locator("#policyholder-name").inner_text() == "株式会社見本商事"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", await desk.page.locator("#last-login").inner_text())
    cookies = {one["name"]: one for one in await desk.page.context.cookies()}
    session = cookies["__Host-session"]
    assert (session["httpOnly"], session["secure"], session["sameSite"]) == (True, True, "Strict")
    assert await desk.page.evaluate("document.cookie") == ""
    await desk.open("/elsewhere/buyer_inquiry")
    await desk.press("終了")
    assert await desk.title() == "ログアウト"
    await desk.page.go_back()
    await desk.open("/")
    assert desk.path() == "/login"


@pytest.mark.requirement("R34", "R36", "R127", "L1")
async def test_a_wrong_password_is_said_beside_the_form_and_too_many_show_the_error_screen(
    desk: Desk, town: Town
) -> None:
    admin = await town.administrator()
    await desk.open("/login")
    await desk.press("ログイン")
    assert await desk.errors() == [
        "WebユーザーIDは必須項目です。入力してください。",
        "パスワードは必須項目です。入力してください。",
    ]
    assert await pink(desk, "#user_id")
    for attempt in range(5):
        await desk.log_in(admin, f"wrong password {attempt}")
        if attempt < 4:
            assert await desk.errors() == ["ログインできませんでした。WebユーザーIDとパスワードをご確認ください。"]
            assert await desk.page.locator("#user_id").input_value() == admin.user_id
            assert await desk.page.locator("#password").input_value() == ""
    assert await desk.title() == "パスワードエラー"
    await desk.log_in(admin)
    assert await desk.title() == "パスワードエラー", "the lock holds for the right password too"


@pytest.mark.requirement("R121", "R122", "R123", "R124", "R88", "L5", "L6")
async def test_a_forgotten_password_is_reissued_by_mail_after_a_message_box_and_changed_at_once(
    desk: Desk, town: Town
) -> None:
    admin = await town.administrator()
    before = await town.outside.newest_mail(admin.email)
    await desk.open("/login")
    await desk.press("こちら")
    assert await desk.title() == "パスワード再発行"
    await desk.page.locator("#user_id").fill(admin.user_id)
    await desk.page.locator("#email").fill(admin.email)
    await desk.touch("メールを送信する")
    box = desk.page.get_by_role("alertdialog")
    await box.get_by_role("button", name="キャンセル").click()
    assert not await box.is_visible()
    async with desk.page.expect_navigation():
        await desk.page.locator("#email").press("Enter")
    assert desk.path() == "/password-reissue", "the Enter key does not send before the message box was answered"
    assert "よろしいですか？" in await box.inner_text()
    await desk.press("OK")
    assert desk.path() == "/password-reissue/done"
    mail = await town.outside.mail_to(admin.email, "パスワード再発行", after=before)
    temporary, own = secret_in(mail["text"]), new_password()
    await desk.log_in(admin, temporary)
    assert desk.path() == "/password/first"
    for closed in ("/", "/applicants", "/own-information"):
        await desk.open(closed)
        assert desk.path() == "/password/first", "nothing else opens before"
    await desk.page.locator("#current_password").fill(temporary)
    await desk.page.locator("#new_password").fill(admin.user_id)
    await desk.page.locator("#repeated").fill(admin.user_id)
    await desk.press("パスワードを変更する")
    assert await desk.errors()
    assert desk.path() == "/password/first"
    for field, value in (("current_password", temporary), ("new_password", own), ("repeated", own)):
        await desk.page.locator(f"#{field}").fill(value)
    await desk.press("パスワードを変更する")
    assert await desk.title() == "パスワード変更完了"
    await desk.press("ユーザーページへ")
    assert await desk.title() == "ユーザーページ"


@pytest.mark.requirement("R94", "R96", "R97", "R98", "L9")
async def test_the_password_is_changed_and_other_windows_are_logged_out(open_desk, town: Town) -> None:
    admin = await town.administrator()
    here, there = await open_desk(), await open_desk()
    await there.log_in(admin)
    await here.log_in(admin)
    await here.press("パスワード変更")
    own = new_password()
    for values, sentence in (
        ((admin.password, own, own + "x"), "新しいパスワードと一致していません。"),
        (("wrong password!", own, own), "現在のパスワードが正しくありません。"),
        ((admin.password, "short", "short"), "12文字以上"),
        ((admin.password, admin.password, admin.password), "現在のパスワード"),
    ):
        for field, value in zip(("current_password", "new_password", "repeated"), values, strict=True):
            await here.page.locator(f"#{field}").fill(value)
        await here.press("パスワードを変更する")
        assert sentence in " ".join(await here.errors())
        assert await here.page.locator("#current_password").input_value() == ""
    for field, value in zip(("current_password", "new_password", "repeated"), (admin.password, own, own), strict=True):
        await here.page.locator(f"#{field}").fill(value)
    await here.press("パスワードを変更する")
    assert await here.title() == "パスワード変更完了"
    await here.page.reload()
    assert await here.title() == "パスワード変更完了"
    await there.open("/own-information")
    assert await there.title() == "タイムアウト"
    await here.press("ユーザーページへ")
    assert await here.title() == "ユーザーページ"


@pytest.mark.requirement("R39", "R149", "L3")
async def test_after_a_time_out_the_screen_says_so_and_the_login_leads_back(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.log_in(admin)
    async with town.platform.owner("identity") as database:
        await database.execute(
            "update sessions set seen_at = seen_at - interval '1 hour' where user_id = $1", admin.user_id
        )
    town.forget_tokens()
    await desk.open("/applicants?search=hanako")
    assert await desk.title() == "タイムアウト"
    assert "再度ログインが必要" in await desk.text()
    await desk.press("ログイン画面へ")
    await desk.page.locator("#user_id").fill(admin.user_id)
    await desk.page.locator("#password").fill(admin.password)
    await desk.press("ログイン")
    assert desk.page.url.endswith("/applicants?search=hanako")
