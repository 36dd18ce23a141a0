"""アクセス履歴出力, the security trail and the company's mails, for the administrator."""

import csv
import re
from pathlib import Path

import pytest

from contracts.audit import HistoryExported
from contracts.identity import LoginSucceeded, PasswordChanged
from tests.portal.bare import Browser
from tests.portal.desks import Desk, Town, User
from tests.portal.errands import administrator, register_account
from tests.support.eventually import eventually

pytestmark = pytest.mark.browser


async def recorded(town: Town, user: User) -> None:
    """Wait until the audit store has heard of the login and of the own password, which may come in any order."""
    async with town.platform.owner("audit") as database:
        question = "select count(*) = 2 from history where user_id = $1 and type = any($2)"
        kinds = [one.wire_type() for one in (LoginSucceeded, PasswordChanged)]
        await eventually(lambda: database.fetchval(question, user.user_id, kinds))


async def told(desk: Desk, words: str) -> bool:
    """Whether the screen says it when it is loaded anew."""
    await desk.page.reload()
    return words in await desk.page.content()


async def download(desk: Desk) -> tuple[str, bytes]:
    """ダウンロード: the file's name and content."""
    async with desk.page.expect_download() as waiting:
        await desk.page.get_by_role("link", name="ダウンロード", exact=True).click()
    file = await waiting.value
    return file.suggested_filename, Path(await file.path()).read_bytes()


@pytest.mark.requirement(
    "R240", "R241", "R242", "R243", "R244", "R245", "R246", "R247", "R248", "R249", "R250", "R251", "R253", "H6",
)  # fmt: skip
async def test_the_access_history_is_searched_and_downloaded_in_every_form(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    await recorded(town, admin)
    await desk.press("アクセス履歴出力")
    assert await desk.title() == "アクセス履歴出力"
    await desk.page.locator("#first_day").fill("2010-01-01")
    for form, columns in (("WebユーザーID単位", "WebユーザーID,アクセス日時"), ("アクセス日時単位", "アクセス日時,")):
        for words, encoding in (("UTF-8（BOM付き）", "utf-8-sig"), ("Windows-31J（シフトJIS）", "cp932")):
            await desk.page.get_by_label(form).check()
            await desk.page.get_by_label(words).check()
            await desk.press("検索")
            text = await desk.text()
            assert "レコード件数" in text
            assert "おおよそのファイルサイズ" in text
            assert "ダウンロードには時間がかかることがあります" in text
            name, content = await download(desk)
            assert name.endswith(".csv")
            lines = content.decode(encoding)
            assert lines.startswith(columns)
            rows = list(csv.reader(lines.splitlines()))
            assert f"{len(rows) - 1}件" in text
            shown = desk.page.locator("#received")
            assert f"{len(rows) - 1}件を受信しました。" in await shown.inner_text()
            assert f"{len(content) / 1024:.1f}".removesuffix(".0") + " KB ／ およそ " in await shown.inner_text()
            assert "[1-1]ログイン" in lines
    await desk.page.locator("#user_id").select_option(admin.user_id)
    await desk.press("検索")
    assert f"対象WebユーザーID\t{admin.user_id}" in await desk.text()


@pytest.mark.requirement("H7")
async def test_a_download_that_breaks_off_is_said_to_be_broken(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    await recorded(town, admin)
    await desk.open("/access-history")
    await desk.page.locator("#first_day").fill("2017-01-01")
    await desk.press("検索")
    await desk.page.route(re.compile("/access-history/[0-9a-f-]+$"), lambda route: route.abort())
    async with desk.page.expect_console_message(lambda said: "ERR_FAILED" in said.text):
        await desk.page.get_by_role("link", name="ダウンロード", exact=True).click()
    await desk.page.get_by_text("途中で切れました。もう一度ダウンロードしてください。").wait_for()
    assert "ERR_FAILED" in desk.complaints.pop()


@pytest.mark.requirement("R240", "H2")
async def test_a_head_of_a_download_makes_none_and_leaves_the_connection_clean(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    await recorded(town, admin)
    await desk.open("/access-history")
    await desk.page.locator("#first_day").fill("2017-01-01")  # the usual one may begin after the login
    await desk.press("検索")
    path = await desk.page.get_by_role("link", name="ダウンロード", exact=True).get_attribute("href")
    browser = Browser(town.url)
    browser.be(admin)
    async with browser.wire() as wire:
        assert (await wire.ask("HEAD", path))[0] == 405
        assert (await wire.ask("HEAD", "/access-history"))[0] == 200
        status, headers, content = await wire.ask("GET", path)
    assert (status, headers.get_content_type()) == (200, "text/csv")
    assert content.startswith("\ufeff".encode())
    async with town.platform.owner("audit") as database:
        question = "select count(*) from history where user_id = $1 and type = $2"
        asked = admin.user_id, HistoryExported.wire_type()
        assert await eventually(lambda: database.fetchval(question, *asked)) == 1


@pytest.mark.requirement("R246", "R253")
async def test_without_a_match_another_search_is_offered(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.open("/access-history")
    await desk.page.locator("#first_day").fill("2015-01-01")
    await desk.page.locator("#last_day").fill("2016-03-21")
    await desk.press("検索")
    assert "対象データがありません" in await desk.text()
    assert await desk.page.locator("#last_day").input_value() == "2016-03-21"
    await desk.page.locator("#first_day").fill("2017-01-01")
    await desk.press("検索")
    assert await desk.errors() == ["終了日は開始日以降の日付を指定してください。"]
    await desk.page.locator("#first_day").fill("")
    await desk.press("検索")
    assert await desk.errors() == ["対象期間（開始日）は必須項目です。入力してください。"]


@pytest.mark.requirement("H2", "N4")
async def test_the_administrator_sees_trail_and_mails_and_applicants_do_not(desk: Desk, town: Town) -> None:
    admin = await administrator(town)
    await desk.enter(admin)
    number = await register_account(desk, "6666666")
    for path in ("/security-trail", "/mails"):
        await desk.open(path)
        await eventually(lambda: told(desk, number))
    await desk.open("/security-trail/export")
    await desk.page.locator("#first_day").fill("2017-01-01")
    await desk.press("検索")
    assert "操作の記録" in await desk.title()
    assert (await download(desk))[0].endswith(".csv")
    await desk.open("/security-trail?first_day=x")
    assert len(await desk.errors()) == 1
    await desk.enter(await town.applicant(admin))
    for path in ("/security-trail", "/mails", "/access-history"):
        await desk.open(path)
        assert await desk.title() == "ご利用いただけません"
