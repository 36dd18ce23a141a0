"""Every screen can be read by a screen reader, used with the keyboard and on a phone, and works without scripts."""

import pytest

from tests.portal.desks import Desk, Town

pytestmark = pytest.mark.browser


async def test_a_person_logs_in_and_out_with_the_keyboard_alone(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.open("/login")
    keyboard = desk.page.keyboard
    await keyboard.press("Tab")
    assert await desk.page.evaluate("document.activeElement.textContent") == "本文へ移動"
    await keyboard.press("Enter")
    for _ in range(3):
        await keyboard.press("Tab")
        if await desk.page.evaluate("document.activeElement.id") == "user_id":
            break
    await keyboard.type(admin.user_id)
    while await desk.page.evaluate("document.activeElement.id") != "password":
        await keyboard.press("Tab")
    await keyboard.type(admin.password)
    await keyboard.press("Enter")
    await desk.page.wait_for_url(town.url + "/")
    while await desk.page.evaluate("document.activeElement.textContent.trim()") != "ログアウト":
        await keyboard.press("Tab")
    outline = await desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "one sees where one is"
    await keyboard.press("Enter")
    await desk.page.wait_for_url("**/logged-out")


async def test_errors_are_tied_to_their_fields_and_the_summary_has_the_focus(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin, "/applicants/new")
    await desk.press("確認する")
    email = desk.page.locator("#email")
    assert await email.get_attribute("aria-invalid") == "true"
    described = (await email.get_attribute("aria-describedby") or "").split()
    assert [await desk.page.locator(f"#{one}").count() for one in described] == [1] * len(described)
    assert await desk.page.evaluate("document.activeElement.getAttribute('role')") == "alert"


async def test_everything_works_without_scripts(open_desk, town: Town) -> None:
    admin = await town.administrator()
    desk: Desk = await open_desk(java_script_enabled=False)
    await desk.enter(admin, "/applicants/new")
    await desk.page.locator("#email").fill("a@sample.com")
    await desk.page.locator("#name").fill("台本　無し")
    await desk.page.locator("#contract_data-listed_riders").check()
    await desk.touch("特約コードの追加／削除")
    await desk.page.get_by_label("999999901").check()
    await desk.press("反映")
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)登録完了"
    await desk.open("/applicants")
    await desk.page.get_by_role("radio").first.check()
    await desk.touch("パスワードリセット")
    await desk.press("OK")
    assert "パスワードをリセットしました" in await desk.text()


async def test_axe_would_notice(desk: Desk) -> None:
    await desk.page.set_content("<html lang=ja><title>x</title><main><h1>x</h1><input name=a></main></html>")
    assert [finding.partition(":")[0] for finding in await desk.axe()] == ["label"]
