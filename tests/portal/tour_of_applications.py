"""The second part of the walk: policyholder, accounts, applications, other procedures, histories and mails."""

from typing import Final

from tests.portal.desks import Desk, Town, User
from tests.portal.errands import PDF, draft, fill_account
from tests.portal.stations import Part, Station


async def policyholder(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """保険利用者情報 and its change."""
    await desk.enter(admin, "/policyholder")
    await station("policyholder")
    await desk.press("変更する")
    await desk.press("変更内容の確認へ")
    await station("policyholder-change-errors")
    await draft(desk, "東京都港区１－１")
    await station("policyholder-change-confirmation")
    await desk.press("修正する")
    await station("policyholder-change")
    await desk.press("変更内容の確認へ")
    await desk.press("申込み")
    await station("policyholder-change-done")
    await desk.open("/policyholder/history")
    await station("policyholder-history")


async def accounts(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """Registration with both lists, change with its box, deletion."""
    await desk.enter(admin, "/accounts/new")
    await desk.press("申込内容の確認へ")
    await station("account-new-errors")
    await desk.press("取引先金融機関を選択")
    await station("banks")
    await desk.press("見本銀行を選択")
    await desk.press("取引先支店を選択")
    await station("branches")
    await desk.press("東京支店を選択")
    await fill_account(desk, "1111111")
    await station("account-new")
    await desk.press("申込内容の確認へ")
    await station("account-new-confirmation")
    await desk.press("申込む")
    await station("account-new-done")
    await desk.open("/accounts")
    await station("accounts")
    await desk.page.get_by_role("radio").check()
    await desk.press("変更")
    await desk.page.locator("#account_number").fill("2222222")
    await station("account-change")
    await desk.press("申込内容の確認へ")
    await desk.press("申込み")
    await station("account-change-confirmation-errors")
    await desk.open("/accounts")
    await desk.page.get_by_role("radio").check()
    await desk.press("削除")
    await station("account-deletion-confirmation")
    await desk.page.get_by_role("checkbox").check()
    await desk.press("申込む")
    await station("account-deletion-done")


async def procedures(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """電子申請 with a file, and the second pattern."""
    await desk.enter(admin, "/procedures/electronic_application_procedures")
    await station("procedures")
    await desk.press("電子申請")
    await desk.page.locator("#subject").fill("住所変更の届出")
    await desk.page.locator("#body").fill("添付のとおり届け出ます。")
    await station("procedure-input")
    await desk.press("ファイルの添付へ")
    await desk.page.set_input_files("#file", {"name": "委任状.pdf", "mimeType": "application/pdf", "buffer": PDF})
    await desk.press("添付する")
    await station("procedure-attachments")
    await desk.press("申込内容の確認へ")
    await station("procedure-confirmation")
    await desk.press("申込む")
    await station("procedure-done")
    await desk.open("/procedures/insurance_procedures/comprehensive")
    await station("procedure-pattern-2")


async def lists(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """Web申込状況一覧, one application, histories, trail and mails."""
    await desk.enter(admin)
    number = await draft(desk, "東京都港区２－２")
    await desk.open("/applications")
    await station("applications")
    await desk.open("/applications?applied_from=x")
    await station("applications-errors")
    await desk.open(f"/applications/{number}")
    await desk.touch("取下げ")
    await station("application-withdrawal-message-box")
    await desk.press("OK")
    await station("application-withdrawn")
    await desk.open("/access-history")
    await station("access-history")
    await desk.press("検索")
    await station("access-history-found")
    await desk.page.locator("#first_day").fill("2015-01-01")
    await desk.page.locator("#last_day").fill("2015-12-31")
    await desk.press("検索")
    await station("access-history-nothing")
    for path, name in (
        ("/security-trail", "security-trail"), ("/security-trail/export", "security-trail-export"), ("/mails", "mails"),
        ("/help/accounts", "help-accounts"),
    ):  # fmt: skip
        await desk.open(path)
        await station(name)


PARTS: Final[tuple[Part, ...]] = (policyholder, accounts, procedures, lists)
