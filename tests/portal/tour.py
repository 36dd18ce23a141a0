"""A walk through the screens of people and logins, part by part: for looking at each, by axe or by a camera."""

import re
from datetime import timedelta
from typing import Final

from contracts.nexi import NoticePublished
from deploy.local.outsiders import new_password, secret_in
from tests.portal import tour_of_applicants
from tests.portal.desks import Desk, Town, User
from tests.portal.errands import use_one_time_passwords
from tests.portal.stations import Part, Station
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.unique import now, word


async def before_login(town: Town, desk: Desk, station: Station, admin: User) -> None:
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
    ):
        await desk.open(path)
        await station(name)
    await desk.open("/password-reissue")
    await desk.page.locator("#user_id").fill("123456789000")
    await desk.page.locator("#email").fill("nobody@sample.com")
    await desk.touch("メールを送信する")
    await station("password-reissue")
    await desk.press("OK")
    await station("password-reissue-done")


NOTICE: Final = "システムメンテナンスのお知らせ"


def notice(number: int) -> NoticePublished:
    """One of several that are published one after the other."""
    return NoticePublished(
        issued_at=now(), notice_id=word("n"), title=f"{NOTICE}（第{number + 1}回）",
        body="次の日時に、Webサービスを停止します。\n\n　毎月第3日曜日　午前1時から午前5時まで",
        published_from=now() - timedelta(days=30 - number),
    )  # fmt: skip


async def reloaded(desk: Desk, words: str) -> bool:
    """Whether the screen says it when it is loaded anew."""
    await desk.page.reload()
    return words in await desk.text()


async def own(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """User page, notices, password, own data."""
    await town.outside.say(*(notice(number) for number in range(4)))
    await desk.enter(admin, "/notices")
    await eventually(lambda: reloaded(desk, NOTICE))
    await station("notices")
    await desk.page.get_by_role("link", name=NOTICE).first.click()
    await desk.page.get_by_text("サービスを停止します").wait_for()
    await station("notice")
    await desk.open("/")
    await station("user-page")
    for path, name in (
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
    await desk.enter(admin, "/administrator")
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
    mail = await town.outside.mail_to(f"x{admin.email}", "メールアドレス変更の確認")
    await desk.page.goto(re.findall(r"http\S+#token=\S+", mail["text"])[0])
    await desk.press("メールアドレスの変更を確定する")
    await station("email-confirmed")
    admin.email = f"x{admin.email}"


async def troubles(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """What stands in somebody's way: no such page, no permission, forged and foreign forms, a gateway that is away."""
    await admin.person.refresh()
    applicant = await town.applicant(admin)
    await desk.enter(applicant, "/no-such-page")
    await station("not-found")
    await desk.open("/applicants")
    await station("forbidden")
    await desk.open("/password?state=x")
    await station("unreadable")
    await desk.open("/password")
    await desk.page.locator("[name=form_token]").last.evaluate("field => field.value = 'x'")
    await desk.press("パスワードを変更する")
    await station("foreign-form")
    await desk.open("/password")
    await desk.page.locator("#new_password").fill("長い" * 40_000)
    await desk.press("パスワードを変更する")
    await station("malformed")
    nobody = f"http://127.0.0.1:{free_port()}"
    async with town.beside(accounts_url=nobody, notifier_url=nobody) as elsewhere:
        await Desk(desk.page, elsewhere).open("/accounts")
        await station("gateway-away")
        await Desk(desk.page, elsewhere).open("/")
        await station("user-page-without-notices")
    await desk.enter(admin, "/notices/" + "x" * 500)
    await station("refused")


async def one_time_password(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """The user page with protected menus, and the entry."""
    await use_one_time_passwords(town, admin.code, use=True)
    await desk.page.context.clear_cookies()
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
    await use_one_time_passwords(town, admin.code, use=False)


async def first_login(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """The forced change, to its end."""
    temporary = await town.reissue(admin.user_id, admin.email)
    await desk.page.context.clear_cookies()
    await desk.log_in(admin, temporary)
    await station("password-first")
    admin.password = new_password()
    await desk.page.locator("#current_password").fill(temporary)
    for field in ("new_password", "repeated"):
        await desk.page.locator(f"#{field}").fill(admin.password)
    await desk.press("パスワードを変更する")
    await station("password-done")
    await admin.person.log_in(admin.password)


PARTS: Final[tuple[Part, ...]] = (
    before_login, own, administrator, *tour_of_applicants.PARTS, troubles, one_time_password, first_login,
)  # fmt: skip
