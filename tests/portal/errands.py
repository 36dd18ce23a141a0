"""What people do at the portal in several tests: drafts, bank accounts, and a look at colours."""

from datetime import UTC, datetime, timedelta

from tests.portal.desks import Desk, Town, User
from tests.support.eventually import eventually

DAY = (datetime.now(UTC) + timedelta(days=40)).strftime("%Y-%m-%d")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


async def administrator(town: Town, **profile: object) -> User:
    """A new administrator whose policyholder's data have come everywhere."""
    admin = await town.administrator(**profile)
    await known_everywhere(town, admin.code)
    return admin


async def known_everywhere(town: Town, code: str) -> None:
    """Wait until the policyholder's data have come to every service that shows or compares them."""
    for service in ("accounts", "applications"):
        await _known(town, service, code)


async def _known(town: Town, service: str, code: str) -> None:
    async with town.platform.owner(service) as database:
        question = "select true from profiles where policyholder_code = $1"
        await eventually(lambda: database.fetchval(question, code))


async def fill_day(desk: Desk, day: str = DAY) -> None:
    """The three boxes of the wished day."""
    for number, part in enumerate(day.split("-"), 1):
        await desk.page.locator(f"[name=wished_date_{number}]").fill(part)


async def draft(desk: Desk, address: str) -> str:
    """Fill in the change and go to its confirmation; answers the number."""
    await desk.open("/policyholder/change")
    await fill_day(desk)
    await desk.page.locator("#address").fill(address)
    await desk.press("変更内容の確認へ")
    return await desk.page.locator("#number").inner_text()


async def fill_account(desk: Desk, account_number: str, use: str = "保険料返還") -> None:
    """口座情報の入力, with bank and branch from their lists."""
    await desk.press("取引先金融機関を選択")
    await desk.press("見本銀行を選択")
    await desk.press("取引先支店を選択")
    await desk.press("東京支店を選択")
    await desk.page.locator("#account_number").fill(account_number)
    await desk.page.locator("#holder").fill("株式会社見本商事")
    await desk.page.locator("#holder_kana").fill("ｶ)ミホンショウジ")
    await desk.page.get_by_label(use).check()


async def register_account(desk: Desk, account_number: str, use: str = "保険料返還") -> str:
    """口座登録 from its menu to its end; answers the number."""
    await desk.open("/accounts/new")
    await fill_account(desk, account_number, use)
    await desk.press("申込内容の確認へ")
    await desk.press("申込む")
    return await desk.page.locator("#number").inner_text()


async def pink(desk: Desk, selector: str) -> bool:
    """Whether the field is shown in pink."""
    color = await desk.page.locator(selector).evaluate("e => getComputedStyle(e).backgroundColor")
    return bool(color == "rgb(255, 214, 224)")


async def use_one_time_passwords(town: Town, code: str, *, use: bool) -> None:
    """ワンタイムパスワード利用 of a policyholder, without the screens."""
    async with town.platform.owner("identity") as database:
        question = "update companies set uses_one_time_password = $2 where policyholder_code = $1"
        await database.execute(question, code, use)
    town.forget_tokens()
