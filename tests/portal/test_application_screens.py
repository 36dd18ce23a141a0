"""Hostile words on the screens of applications, and their forms with the keyboard alone."""

import pytest

from tests.portal.desks import Desk, Town
from tests.portal.errands import PDF, administrator, fill_account

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title='x'</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


async def test_hostile_words_stay_words_on_every_screen(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.open("/procedures/electronic_application_procedures/electronic_application")
    for name in ("subject", "body", "remarks"):
        await desk.page.locator(f"#{name}").fill(HOSTILE)
    await desk.press("ファイルの添付へ")
    hostile_file = {"name": '"><img src=x onerror=alert(1)>.pdf', "mimeType": "application/pdf", "buffer": PDF}
    await desk.page.set_input_files("#file", hostile_file)
    await desk.press("添付する")
    assert await desk.page.locator("main img").count() == 0
    await desk.press("申込内容の確認へ")
    assert (await desk.text()).count(HOSTILE) == 3
    number = await desk.page.locator("#number").inner_text()
    await desk.press("修正する")
    assert await desk.page.locator("#body").input_value() == HOSTILE
    await desk.open(f"/applications/{number}")
    assert (await desk.text()).count(HOSTILE) == 3
    await desk.open("/accounts/new")
    await fill_account(desk, "8888888")
    await desk.page.locator("#holder").fill("<b>見本</b>")
    await desk.press("申込内容の確認へ")
    assert "＜ｂ＞見本＜／ｂ＞" in await desk.text()
    await desk.open("/policyholder/change")
    names = (
        "name",
        "kana",
        "address",
        "registered_address",
        "representative_title",
        "representative_name",
        "home_page",
    )
    for name in names:
        await desk.page.locator(f"#{name}").fill(HOSTILE)
    for box in await desk.page.locator("input.box").all():
        await box.fill('"><b>')
    await desk.press("変更内容の確認へ")
    assert await desk.title() == "保険利用者情報の変更: ステップ1 変更内容の入力"
    assert await desk.page.locator("#name").input_value() == HOSTILE
    assert await desk.page.locator("main img, main script, main b").count() == 0
    await desk.open("/accounts/new")
    await desk.press("取引先金融機関を選択")
    await desk.page.locator("#search").fill(HOSTILE)
    await desk.press("検索する")
    assert await desk.page.locator("#search").input_value() == HOSTILE[:100]
    assert await desk.page.title() != "x"
    for path in ("/applications", "/security-trail", "/mails"):
        await desk.page.goto(f"{town.url}{path}?number={HOSTILE}&user_id={HOSTILE}&sort={HOSTILE}")
        assert await desk.page.title() != "x"
        assert await desk.page.locator("main img, main script").count() == 0


async def test_the_form_of_an_account_is_filled_in_with_the_keyboard_alone(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await desk.open("/accounts/new")
    await desk.page.locator("#account_number").focus()
    await desk.page.keyboard.type("1234567")
    async with desk.page.expect_navigation():
        await desk.page.keyboard.press("Enter")
    assert "取引先金融機関は必須項目です。入力してください。" in await desk.errors()
    assert await desk.page.evaluate("document.activeElement.className") == "summary"
    assert await desk.page.locator("#account_number").input_value() == "1234567"
