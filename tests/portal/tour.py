"""A walk through the screens, one after the other: for looking at each of them, by axe or by a camera."""

from typing import Any

from deploy.local.outsiders import secret_in
from tests.portal import tour_of_applications
from tests.portal.desks import Desk, Town, User
from tests.portal.stations import Station


async def before_login(town: Town, desk: Desk, station: Station) -> None:
    """Login, errors, reissue, time-out, help, and the page behind a mail's link."""
    await desk.open("/login")
    await station("login")
    await desk.press("ログイン")
    await station("login-errors")
    for path, name in (
        ("/password-error", "password-error"),
        ("/timed-out", "timed-out"),
        ("/logged-out", "logged-out"),
        ("/email-confirmation", "email-confirmation"),
        ("/help", "help"),
        ("/help/applicants", "help-applicants"),
        ("/no-such-page", "not-found"),
    ):
        await desk.open(path)
        await station(name)
    await desk.open("/password-reissue")
    await desk.page.locator("#user_id").fill("123456789000")
    await desk.page.locator("#email").fill("nobody@sample.com")
    await desk.press("メールを送信する")
    await station("password-reissue")
    await desk.page.get_by_role("button", name="OK").click()
    await station("password-reissue-done")


async def own(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """User page, one-time password, password, own data."""
    await desk.log_in(admin)
    await station("user-page")
    for path, name in (
        ("/notices", "notices"),
        ("/password", "password"),
        ("/own-information", "own-information"),
        ("/sessions", "sessions"),
        ("/elsewhere/buyer_inquiry", "elsewhere-pattern-2"),
    ):
        await desk.open(path)
        await station(name)
    await desk.open("/password")
    await desk.press("パスワードを変更する")
    await station("password-errors")


async def administrator(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """Webユーザー（管理者）情報変更 with a new address."""
    await desk.open("/administrator")
    await station("administrator")
    await desk.page.locator("#email").fill(f"x{admin.email}")
    await desk.page.locator("#department").fill("新しい部")
    await desk.press("確認する")
    await station("administrator-confirmation")
    await desk.page.locator("#current_password").fill(admin.password)
    await desk.press("確定する")
    await station("administrator-done-with-new-address")
    await desk.open("/administrator")
    await station("administrator-pending-address")
    await desk.page.locator("#title").fill("課長")
    await desk.press("確認する")
    await desk.press("確定する")
    await station("administrator-done")


async def applicants(town: Town, desk: Desk, station: Station) -> None:
    """List, registration with rider codes, details, change, reset, import."""
    await desk.open("/applicants/new")
    await desk.press("確認する")
    await station("applicant-new-errors")
    await desk.page.locator("#email").fill("hanako@sample.com")
    await desk.page.locator("#name").fill("貿易　花子")
    await desk.page.locator("#contract_data-listed_riders").check()
    await desk.press("特約コードの追加／削除")
    await desk.page.get_by_label("999999901").check()
    await station("applicant-riders")
    await desk.press("反映")
    await station("applicant-new")
    await desk.press("確認する")
    await station("applicant-new-confirmation")
    await desk.press("確定する")
    await station("applicant-new-done")
    user_id = await desk.page.locator("#new-user-id").inner_text()
    await desk.open("/applicants")
    await station("applicants")
    await desk.page.get_by_role("radio", name=user_id).check()
    await desk.press("パスワードリセット")
    await station("applicant-reset-message-box")
    await desk.page.get_by_role("button", name="OK").click()
    await station("applicant-reset-done")
    await desk.open(f"/applicants/{user_id}")
    await station("applicant-details")
    await desk.press("変更する")
    await station("applicant-change")
    await desk.page.locator("#title").fill("課長")
    await desk.press("確認する")
    await station("applicant-change-confirmation")
    await desk.press("確定する")
    await station("applicant-change-done")
    await imports(desk, station)


async def imports(desk: Desk, station: Station) -> None:
    """一括登録."""
    header = "メールアドレス,氏名,入力/申込権限,情報データ参照範囲,申込データ参照範囲"
    good = "a@sample.com,一括　太郎,入力権限のみ,情報データ参照不可,申込データ参照不可"
    for rows, name in (((good, "x,,y,z,w"), "applicant-import-errors"), ((good,), "applicant-import-confirmation")):
        await desk.open("/applicants/import")
        content: dict[str, Any] = {"name": "a.csv", "mimeType": "text/csv"}
        content["buffer"] = "\r\n".join((header, *rows)).encode()
        await desk.page.locator("#file").set_input_files(content)  # type: ignore[arg-type]
        await desk.press("確認する")
        await station(name)
    await desk.press("確定する")
    await station("applicant-import-done")


async def one_time_password(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """The user page with protected menus, and the entry."""
    async with town.platform.owner("identity") as database:
        await database.execute(
            "update companies set uses_one_time_password = true where policyholder_code = $1", admin.code
        )
    await desk.page.context.clear_cookies()
    town.forget_tokens()
    await desk.log_in(admin)
    await station("user-page-protected")
    before = await town.outside.newest_mail(admin.email)
    await desk.press("ワンタイムパスワードの発行")
    await station("one-time-password")
    await desk.page.locator("#code").fill("00000000")
    await desk.press("認証")
    await station("one-time-password-wrong")
    mail = await town.outside.mail_to(admin.email, "ワンタイムパスワード", after=before)
    await desk.page.locator("#code").fill(secret_in(mail["text"]))
    await desk.press("認証")


async def first_login(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """The forced change."""
    temporary = await town.reissue(admin.user_id, admin.email)
    await desk.page.context.clear_cookies()
    await desk.log_in(admin, temporary)
    await station("password-first")


async def whole_tour(town: Town, desk: Desk, station: Station) -> None:
    """All of them, with an administrator of one's own."""
    admin = await town.administrator()
    await before_login(town, desk, station)
    await own(town, desk, station, admin)
    await administrator(town, desk, station, admin)
    await applicants(town, desk, station)
    await tour_of_applications.applications(town, desk, station, admin)
    await one_time_password(town, desk, station, admin)
    await first_login(town, desk, station, admin)
