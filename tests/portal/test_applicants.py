"""Webユーザー（申込者）: list, registration with rider codes, details, change, reset, import; the manual's screens."""

import pytest

from deploy.local.outsiders import secret_in
from tests.portal.desks import Desk, Town, User
from tests.portal.errands import pink

pytestmark = pytest.mark.browser

LIST = "/applicants"


async def fill(desk: Desk, **values: str) -> None:
    """Type into fields."""
    for name, value in values.items():
        await desk.page.locator(f"#{name}").fill(value)


async def register(desk: Desk, town: Town, admin: User, **values: str) -> str:
    """Through the screens; answers the new ID."""
    await desk.open(f"{LIST}/new")
    await fill(desk, **values)
    await desk.press("確認する")
    await desk.press("確定する")
    return await desk.page.locator("#new-user-id").inner_text()


async def outrun(desk: Desk, town: Town, **values: str) -> None:
    """Have an applicant's change open at the desk while somebody else carries another one out."""
    admin = await town.administrator()
    await desk.enter(admin)
    user_id = await register(desk, town, admin, email="a@sample.com", name="貿易　花子")
    await desk.open(f"{LIST}/{user_id}/change")
    other = Desk(await desk.page.context.new_page(), town)
    await other.open(f"{LIST}/{user_id}/change")
    await fill(other, **values)
    await other.press("確認する")
    await other.press("確定する")


@pytest.mark.requirement(
    "R125", "R126", "R127", "R128", "R129", "R131", "R132", "R133", "R134", "R135", "R136", "R137", "R138", "R139",
    "R140", "R142", "R67",
)  # fmt: skip
async def test_an_applicant_is_registered_with_rider_codes(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin, LIST)
    await desk.press("新規登録")
    await fill(desk, name="失われる　入力")
    await desk.press("戻る")
    assert await desk.title() == "Webユーザー（申込者）情報一覧"
    await desk.press("新規登録")
    assert await desk.page.locator("#name").input_value() == ""
    await desk.press("確認する")
    assert await desk.errors() == [
        "メールアドレスは必須項目です。入力してください。",
        "氏名は必須項目です。入力してください。",
    ]
    assert await pink(desk, "#email")
    assert not await pink(desk, "#phone")
    assert not await desk.page.get_by_role("button", name="特約コードの追加／削除").is_visible()
    await fill(desk, email="hanako@sample.com", name="ﾎﾞｳｴｷ 花子")
    await desk.page.locator("#contract_data-listed_riders").check()
    await desk.press("確認する")
    assert await desk.errors() == ["参照可能な特約コードを1つ以上選択してください。"]
    dialog = desk.page.get_by_role("dialog", name="特約コードの追加／削除")
    await desk.touch("特約コードの追加／削除")
    await dialog.get_by_label("999999901").check()
    await dialog.get_by_role("button", name="キャンセル").click()
    await desk.touch("特約コードの追加／削除")
    assert not await dialog.get_by_label("999999901").is_checked()
    await dialog.get_by_label("999999901").check()
    await dialog.get_by_label("999999902").check()
    await desk.press("反映")
    assert not await dialog.is_visible()
    assert await desk.page.locator(".riders li").all_inner_texts() == ["999999901", "999999902"]
    assert await desk.page.locator("#name").input_value() == "ﾎﾞｳｴｷ 花子"
    await desk.touch("特約コードの追加／削除")
    await dialog.get_by_label("999999901").uncheck()
    await desk.press("反映")
    assert await desk.page.locator(".riders li").all_inner_texts() == ["999999902"]
    await desk.press("確認する")
    text = await desk.text()
    for shown in ("hanako@sample.com", "ボウエキ　花子", "対象特約のみ参照可能", "999999902"):
        assert shown in text
    await desk.press("修正する")
    await fill(desk, department="見本課")
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)登録完了"
    user_id = await desk.page.locator("#new-user-id").inner_text()
    assert user_id == f"{admin.code}001"
    mail = await town.outside.mail_to(admin.email, "初期パスワード")
    assert user_id in mail["text"]
    assert secret_in(mail["text"])
    await desk.press("Webユーザー(申込者)情報一覧へ")
    assert user_id in await desk.text()


@pytest.mark.requirement(
    "R143", "R144", "R145", "R146", "R147", "R148", "R150", "R151", "R157", "R158", "R159", "R160", "R161", "R162"
)  # fmt: skip
async def test_an_applicant_is_looked_at_and_changed_from_the_list(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin)
    user_id = await register(desk, town, admin, email="a@sample.com", name="貿易　花子")
    await desk.open(LIST)
    await desk.press("照会")
    assert "選択」で申込者を選択してください" in await desk.text()
    await desk.page.get_by_role("radio", name=user_id).check()
    await desk.press("照会")
    assert await desk.title() == "Webユーザー（申込者）情報の詳細"
    assert "申込情報の入力も申込みもできません。" in await desk.text()
    await desk.press("変更する")
    assert user_id in await desk.text()
    assert await desk.page.locator("input[name=user_id]").count() == 0
    await desk.page.locator("#entry-enter").check()
    await desk.page.locator("#application_data-own").check()
    await fill(desk, name="")
    await desk.press("確認する")
    assert await desk.errors() == ["氏名は必須項目です。入力してください。"]
    assert await pink(desk, "#name")
    assert not await pink(desk, "#email")
    assert await desk.page.locator("#entry-enter").is_checked()
    await desk.press("戻る")
    assert desk.path() == LIST
    await desk.page.get_by_role("radio", name=user_id).check()
    await desk.press("変更")
    await desk.page.locator("#enabled-false").check()
    await desk.page.locator("#entry-enter").check()
    await desk.press("確認する")
    assert await desk.title() == "Webユーザー(申込者)情報変更確認"
    assert "変更前: 有効" in await desk.text()
    await desk.press("修正する")
    assert await desk.page.locator("#enabled-false").is_checked()
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)情報変更完了"
    await desk.press("Webユーザー(申込者)情報一覧へ")
    assert "無効" in await desk.page.locator("tbody").inner_text()
    await desk.open(f"{LIST}?used=enabled&sort=name&order=desc&search=zzz&page=x")
    assert "該当する申込者はいません" in await desk.text()


@pytest.mark.requirement("R163", "R164", "R165", "R90", "L7")
async def test_a_password_is_reset_only_after_the_message_box(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    applicant = await town.applicant(admin)
    await desk.enter(admin, LIST)
    before = await town.outside.newest_mail(admin.email)
    await desk.page.get_by_role("radio", name=applicant.user_id).check()
    await desk.touch("パスワードリセット")
    box = desk.page.get_by_role("alertdialog")
    assert "パスワードをリセットします。よろしいですか？" in await box.inner_text()
    await box.get_by_role("button", name="キャンセル").click()
    status, _ = await applicant.person.try_password(applicant.password)
    assert status == 201, "nothing happened yet"
    await desk.touch("パスワードリセット")
    await box.get_by_role("button", name="OK").dblclick()
    await desk.page.get_by_text("パスワードをリセットしました").wait_for()
    mail = await town.outside.mail_to(admin.email, "パスワードリセット", after=before)
    assert applicant.user_id in mail["text"]
    assert (await applicant.person.try_password(applicant.password))[0] == 401
    assert (await applicant.person.try_password(secret_in(mail["text"])))[0] == 201, "one reset for two clicks"


@pytest.mark.requirement("R147", "R61", "R56")
async def test_of_two_tabs_the_later_one_is_told_what_changed_and_offered_again(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin)
    user_id = await register(desk, town, admin, email="a@sample.com", name="貿易　花子")
    await desk.open(f"{LIST}/{user_id}/change")
    tab = await desk.page.context.new_page()
    other = Desk(tab, town)
    await other.open(f"{LIST}/{user_id}/change")
    await fill(desk, department="先の部")
    await desk.press("確認する")
    await fill(other, department="後の部", title="課長")
    await other.press("確認する")
    await desk.press("確定する")
    await other.press("確定する")
    text = await other.text()
    assert "表示後に他の操作で変更された" in text
    assert "変更前: 先の部" in text
    assert await other.page.locator("#title").input_value() == "課長"
    await other.press("確認する")
    await other.press("確定する")
    assert await other.title() == "Webユーザー(申込者)情報変更完了"


@pytest.mark.requirement("R133", "R147", "R56", "R61")
async def test_wrong_input_over_a_newer_version_is_kept_and_explained(desk: Desk, town: Town) -> None:
    await outrun(desk, town, department="先の部")
    await fill(desk, title="課長")
    await desk.page.locator("#contract_data-listed_riders").check()
    await desk.press("確認する")
    assert "表示後に他の操作で変更された" in await desk.text()
    assert await desk.errors() == ["参照可能な特約コードを1つ以上選択してください。"]
    assert await desk.page.locator("#title").input_value() == "課長"
    await desk.page.locator("#contract_data-none").check()
    await desk.press("確認する")
    assert await desk.title() == "Webユーザー(申込者)情報変更確認", "over the newest version now"


@pytest.mark.requirement("R147", "R56", "R61")
async def test_the_screen_that_explained_a_newer_version_may_be_reloaded_after_the_success(
    desk: Desk, town: Town
) -> None:
    await outrun(desk, town, department="先の部")
    await fill(desk, department="後の部")
    await desk.press("確認する")
    explained = desk.page.url
    assert "変更前: 先の部" in await desk.text()
    await desk.press("確認する")
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)情報変更完了"
    await desk.page.goto(explained)
    assert await desk.page.locator("#department").input_value() == "後の部"
    assert "変更前" not in await desk.text(), "all of it is saved"


@pytest.mark.requirement("R125", "R140")
async def test_many_are_registered_by_a_file_after_a_dry_run(desk: Desk, town: Town) -> None:
    admin = await town.administrator()
    await desk.enter(admin, f"{LIST}/import")
    async with desk.page.expect_download() as download:
        await desk.page.get_by_role("link", name="ひな形").click()
    header = (await (await download.value).path()).read_text(encoding="utf-8-sig").strip()
    row = {"メールアドレス": "a@sample.com", "氏名": "一括　太郎", "入力/申込権限": "入力権限のみ",
           "情報データ参照範囲": "情報データ参照不可", "申込データ参照範囲": "申込データ参照不可"}  # fmt: skip
    good = ",".join(row.get(name, "") for name in header.split(","))
    bad = good.replace("a@sample.com", "<script>alert(1)</script>")

    async def upload(*lines: str) -> None:
        content = "\r\n".join((header, *lines)).encode()
        await desk.page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": content})
        await desk.press("確認する")

    await desk.press("確認する")
    assert "CSVファイルを選択してください" in await desk.text()
    await upload(good, bad)
    cells = await desk.page.locator("tbody td").all_inner_texts()
    assert cells[:2] == ["3", "メールアドレス"]
    await upload(good, good.replace("太郎", "次郎"))
    assert "2件" in await desk.text()
    await desk.page.reload()
    await desk.press("確定する")
    assert await desk.title() == "Webユーザー(申込者)登録完了"
    assert await desk.page.locator("tbody tr").count() == 2
    await desk.page.go_back()
    await desk.press("確定する")
    assert await desk.page.locator("tbody tr").count() == 2
    await desk.open(LIST)
    assert "2件" in await desk.text(), "going back and confirming again registered nobody twice"
