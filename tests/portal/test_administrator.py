"""Webユーザー（管理者）情報変更: input, confirmation, both completions, and the link of the mail."""

import re

import pytest

from tests.portal.desks import Desk, Town, User
from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

PATH = "/administrator"


@pytest.mark.requirement("R87", "R110", "R111", "R112", "R113", "R114", "R118", "R45")
async def test_own_data_are_changed_in_three_steps(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin)
    await desk.press("Webユーザー（管理者）情報変更")
    await desk.page.locator("#department").fill("ｷｶｸ部")
    await desk.press("戻る")
    assert await desk.title() == "ユーザーページ"
    await desk.open(PATH)
    assert await desk.page.locator("#department").input_value() == "見本事業部", "the input is lost"
    await desk.page.locator("#department").fill("ｷｶｸ部")
    await desk.page.locator("#name").fill("")
    await desk.press("確認する")
    assert await desk.errors() == ["氏名は必須項目です。入力してください。"]
    await desk.page.locator("#name").fill("日本　次郎")
    await desk.page.locator("#phone").fill("電話")
    await desk.press("確認する")
    assert len(await desk.errors()) == 1
    assert await desk.page.locator("#department").input_value() == "ｷｶｸ部"
    await desk.page.locator("#phone").fill("03-1111-2222")
    await desk.press("確認する")
    assert await desk.title() == "Webユーザー（管理者）情報変更確認"
    text = await desk.text()
    assert "WebユーザーID（管理者用）" in text
    assert "キカク部" in text
    assert "変更前: 見本事業部" in text
    await desk.press("修正する")
    assert await desk.page.locator("#name").input_value() == "日本　次郎"
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー（管理者）情報変更完了"
    assert "確認用メール" not in await desk.text()
    await desk.page.reload()
    assert await desk.title() == "Webユーザー（管理者）情報変更完了"
    await desk.open("/own-information")
    assert "日本　次郎" in await desk.text()


@pytest.mark.requirement("R115", "R116", "R117", "R118", "R119", "R120", "E1", "E3")
async def test_a_new_address_waits_for_the_button_behind_the_mailed_link(desk: Desk, open_desk, town: Town) -> None:
    admin = await town.administrator()
    new = f"new-{admin.code}@gmail.com"
    await desk.enter(admin, PATH)
    assert "web_info@nexi.go.jpからのメールが届くよう" in await desk.text()
    await desk.page.locator("#email").fill(new)
    await desk.press("確認する")
    assert "推奨しません" in await desk.text()
    await desk.page.locator("#current_password").fill("wrong password!")
    await desk.press("確定する")
    assert await desk.errors() == ["現在のパスワードが正しくありません。"]
    await desk.page.locator("#current_password").fill(admin.password)
    await desk.press("確定する")
    text = await desk.text()
    assert "24時間以内" in text
    assert "URLをクリックしなければメールアドレスは変更されません" in text
    mail = await town.outside.mail_to(new, "メールアドレス変更の確認")
    link = re.search(r"http\S+#token=[\w-]{43}", mail["text"])
    assert link is not None
    assert link[0].startswith(town.url), "the link leads to the portal"
    elsewhere = await open_desk()
    await elsewhere.page.goto(link[0])
    await elsewhere.page.reload()
    await elsewhere.page.goto(link[0])
    await desk.open("/own-information")
    assert admin.email in await desk.text(), "opening the page changes nothing"
    for outcome in ("メールアドレスの変更が完了しました。", "メールアドレスの変更はすでに完了しています。"):
        await elsewhere.page.goto("about:blank")
        await elsewhere.page.goto(link[0])
        assert not await elsewhere.page.locator("#token").is_visible()
        assert "#" not in elsewhere.page.url
        await elsewhere.press("メールアドレスの変更を確定する")
        assert outcome in await elsewhere.text()
    await desk.page.reload()
    assert new in await desk.text()
    without = await open_desk(java_script_enabled=False)
    await without.page.goto(link[0])
    await without.page.locator("#token").fill(link[0])
    await without.press("メールアドレスの変更を確定する")
    assert "すでに完了しています" in await without.text(), "works without scripts too"
    await without.page.goto(link[0])
    await without.page.locator("#token").fill("x" * 43)
    await without.press("メールアドレスの変更を確定する")
    assert "このURLは正しくありません" in await without.text()


@pytest.mark.requirement("R56", "R61", "E1")
async def test_a_pending_address_is_shown_and_can_be_taken_back_and_two_tabs_never_overwrite(
    desk: Desk, town: Town
) -> None:
    admin = await town.administrator()
    await desk.enter(admin, PATH)
    await desk.page.locator("#email").fill(f"x{admin.email}")
    await desk.press("確認する")
    tab = await desk.page.context.new_page()
    await tab.goto(town.url + PATH)
    await tab.locator("#title").fill("課長")
    await desk.page.locator("#current_password").fill(admin.password)
    await desk.press("確定する")
    await tab.get_by_role("button", name="確認する", exact=True).click()
    await tab.wait_for_load_state()
    text = await tab.locator("main").inner_text()
    stale = "表示後に他の操作で変更された" in text
    assert stale or "変更確認" in text, "either it fits, or it is explained and offered again"
    assert not stale or await tab.locator("#title").input_value() == "課長"
    await desk.open(PATH)
    assert "メールアドレス変更の手続き中" in await desk.text()
    await desk.press("この手続きを取り消す")
    assert "取り消しました" in await desk.text()


@pytest.mark.requirement("R56", "R61")
async def test_the_screen_that_explained_a_newer_version_may_be_reloaded_after_the_success(
    desk: Desk, town: Town
) -> None:
    admin = await town.administrator()
    await desk.enter(admin, PATH)
    other = Desk(await desk.page.context.new_page(), town)
    await other.open(PATH)
    await other.page.locator("#title").fill("部長")
    await other.press("確認する")
    await other.press("確定する")
    await desk.page.locator("#title").fill("課長")
    await desk.press("確認する")
    explained = desk.page.url
    assert "変更前: 部長" in await desk.text()
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー（管理者）情報変更完了"
    await desk.page.goto(explained)
    assert await desk.page.locator("#title").input_value() == "課長"
    assert "変更前" not in await desk.text(), "all of it is saved"


async def ask_for(desk: Desk, town: Town, admin: User, address: str) -> str:
    """Wish for a new address through the screens; answers the link in its mail."""
    await desk.open(PATH)
    await desk.page.locator("#email").fill(address)
    await desk.press("確認する")
    await desk.page.locator("#current_password").fill(admin.password)
    await desk.press("確定する")
    mail = await town.outside.mail_to(address, "メールアドレス変更の確認")
    return re.findall(r"http\S+#token=[\w-]{43}", mail["text"])[0]


@pytest.mark.requirement("R116", "E1", "E2")
async def test_superseded_and_lapsed_links_say_why_they_do_not_work(desk: Desk, open_desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin)
    older = await ask_for(desk, town, admin, f"older-{admin.code}@sample.com")
    newer = await ask_for(desk, town, admin, f"newer-{admin.code}@sample.com")
    async with town.platform.owner("identity") as database:

        async def accepted() -> bool:
            query = "select mail_accepted_at from email_changes where user_id = $1 order by requested_at desc limit 1"
            return await database.fetchval(query, admin.user_id) is not None

        await eventually(accepted)  # what the notifier says of the mail comes after the mail
        await database.execute(
            "update email_changes set requested_at = requested_at - interval '25 hours',"
            " mail_accepted_at = mail_accepted_at - interval '25 hours' where user_id = $1",
            admin.user_id,
        )
    elsewhere = await open_desk()
    for link, sentence in (
        (older, "より新しいメールアドレス変更の手続き"),
        (newer, "有効期限（24時間）が過ぎています"),
    ):
        await elsewhere.page.goto(link)
        await elsewhere.press("メールアドレスの変更を確定する")
        assert sentence in await elsewhere.text()
        await elsewhere.page.goto("about:blank")
    await desk.open("/own-information")
    assert admin.email in await desk.text(), "the address stays"
