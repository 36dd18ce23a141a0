"""口座情報: looked at and sorted by everybody, registered, changed and deleted by the administrator."""

import re
from collections.abc import Awaitable, Callable

import pytest

from tests.portal.desks import Desk, Town
from tests.portal.errands import administrator, fill_account, pink, register_account
from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

CHANGE_CHECKED = "変更する口座情報について確認しました"
DELETION_CHECKED = "削除する口座情報について確認しました"


@pytest.mark.requirement(
    "R203", "R204", "R205", "R206", "R207", "R208", "R209", "R210", "R211", "R212", "R213", "R214", "R215", "R221",
)  # fmt: skip
async def test_an_account_is_registered_without_scripts_and_appears_in_the_list(
    open_desk: Callable[..., Awaitable[Desk]], town: Town
) -> None:
    desk = await open_desk(java_script_enabled=False)
    admin = await administrator(town)
    await desk.enter(admin)
    await desk.press("口座情報照会・登録・変更")
    assert await desk.title() == "口座情報一覧"
    assert "利用区分を変えてふたつ登録いただく必要があります" in await desk.text()
    await desk.press("新規登録")
    assert await desk.title() == "口座登録・変更・削除: 口座情報の入力"
    await desk.press("申込内容の確認へ")
    assert "取引先金融機関は必須項目です。入力してください。" in await desk.errors()
    assert "利用区分は必須項目です。入力してください。" in await desk.errors()
    for field in ("#bank_code .picked", "#branch_code .picked", "#account_number", "#holder", "#holder_kana"):
        assert await pink(desk, field), field
    assert await desk.page.locator("input[name=bank_code]").count() == 0, "banks are never typed"
    await desk.page.locator("#holder").fill("株式会社見本商事")
    await desk.press("取引先支店を選択")
    assert await desk.title() == "取引先金融機関の選択", "the bank comes first"
    await desk.page.locator("#search").fill("ﾀﾞﾐｰ")
    await desk.press("検索する")
    assert "NEXIにご相談ください" in await desk.text()
    await desk.page.locator("#search").fill("みほん")
    await desk.press("検索する")
    await desk.press("見本銀行を選択")
    assert await desk.page.locator("#holder").input_value() == "株式会社見本商事", "what was typed waits"
    await fill_account(desk, "１２３４５６７")
    await desk.press("申込内容の確認へ")
    assert await desk.title() == "口座登録・変更・削除: 申込内容の確認"
    text = await desk.text()
    for words in ("口座登録", "9999 見本銀行", "東京支店", "普通預金", "1234567", "カ）ミホンショウジ", "保険料返還"):
        assert words in text
    assert await desk.page.locator("#user-id").inner_text() == admin.user_id
    await desk.press("修正する")
    await desk.page.locator("#account_number").fill("7654321")
    await desk.press("申込内容の確認へ")
    await desk.press("申込む")
    assert await desk.title() == "口座登録・変更・削除: 申込完了"
    assert "口座情報への反映を完了しました" in await desk.text()
    await desk.press("口座情報一覧へ")
    assert "7654321" in await desk.text()


@pytest.mark.requirement(
    "R216", "R217", "R219", "R220", "R222", "R223", "R224", "R225", "R226", "R227", "R228", "R229", "R230", "R231",
    "R232",
)  # fmt: skip
async def test_an_account_is_changed_after_its_box_is_ticked(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await register_account(desk, "1111111")
    await desk.press("口座情報一覧へ")
    await desk.press("変更")
    assert "一覧の左端で、口座を選択してください。" in await desk.text()
    await desk.page.get_by_role("radio").check()
    await desk.press("変更")
    assert "9999 見本銀行" in await desk.text()
    await desk.page.locator("#account_number").fill("2222222")
    await desk.press("申込内容の確認へ")
    text = await desk.text()
    assert "変更前: 1111111" in text
    assert "NEXIからの送金が行えません" in text
    assert "申込手続きの完了まで口座情報の変更を行わないよう" in text
    for words in ("口座情報一覧へ", "修正する", "Web申込状況一覧へ"):
        assert await desk.page.get_by_role("link", name=words, exact=True).count() == 1
    await desk.press("申込み")
    assert await desk.errors() == [f"「{CHANGE_CHECKED}」にチェックを入れてください。"]
    await desk.page.get_by_label(CHANGE_CHECKED).check()
    await desk.press("申込み")
    assert "口座情報への反映を完了しました" in await desk.text()
    assert "口座情報変更" in await desk.text()
    await desk.press("口座情報一覧へ")
    assert "2222222" in await desk.text()
    assert "1111111" not in await desk.text()


@pytest.mark.requirement("R233", "R234", "R235", "R236", "R237", "R238", "R239")
async def test_an_account_is_deleted_straight_from_the_list(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await register_account(desk, "3333333")
    await desk.press("口座情報一覧へ")
    await desk.page.get_by_role("radio").check()
    await desk.press("削除")
    assert await desk.title() == "口座登録・変更・削除: 申込内容の確認"
    assert "当口座を削除することにより、NEXIからの送金が行えません" in await desk.text()
    await desk.page.get_by_label(DELETION_CHECKED).check()
    await desk.press("申込む")
    text = await desk.text()
    assert "口座情報削除" in text
    assert "3333333" in text, "the completion still shows what was deleted"
    assert await desk.page.get_by_role("link", name="Web申込状況一覧へ", exact=True).count() == 1
    await desk.press("口座情報一覧へ")
    assert "登録されている口座はありません。" in await desk.text()


@pytest.mark.requirement("R218", "R223")
async def test_an_account_that_changed_meanwhile_is_said_before_the_application(desk: Desk, town: Town) -> None:
    await desk.enter(await administrator(town))
    await register_account(desk, "4444444")
    await desk.press("口座情報一覧へ")
    await desk.page.get_by_role("radio").check()
    await desk.press("変更")
    change = desk.path()
    await desk.page.locator("#holder").fill("")
    await desk.press("申込内容の確認へ")
    assert await pink(desk, "#holder")
    await desk.page.locator("#holder").fill("見本　太郎")
    await desk.press("申込内容の確認へ")
    first = desk.page.url
    await desk.open("/accounts")
    await desk.page.get_by_role("radio").check()
    await desk.press("削除")
    await desk.page.get_by_label(DELETION_CHECKED).check()
    await desk.press("申込む")
    await desk.page.goto(first)
    assert "対象の口座は登録されていません" in await desk.text()
    assert await desk.page.get_by_role("button", name="申込み", exact=True).count() == 0
    await desk.press("修正する")
    assert await desk.title() == "Web申込状況: 口座情報変更"
    assert "対象の口座は登録されていないため、この申込みは修正できません。" in await desk.text()
    await desk.touch("取下げ")
    await desk.press("OK")
    await desk.page.get_by_text("この申込みを取り下げました。").wait_for()
    await desk.open(change)
    assert await desk.title() == "口座情報一覧"
    assert "対象の口座は登録されていません。" in await desk.text()


@pytest.mark.requirement("R214", "R215", "P7")
async def test_a_registration_that_is_not_reflected_yet_says_so_and_shows_later_that_it_is(
    desk: Desk, town: Town
) -> None:
    admin = await administrator(town)
    keys_url = f"{town.outside.gateway('identity')}/.well-known/jwks.json"
    async with (
        town.platform.running("applications", answer_seconds=0.2, identity_keys_url=keys_url) as impatient,
        town.beside(applications_url=impatient.url) as elsewhere,
        town.platform.owner("accounts") as database,
        database.transaction() as tx,
    ):
        # As another procedure of this policyholder that takes its time.
        await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", admin.code)
        hasty = Desk(desk.page, elsewhere)
        await hasty.enter(admin)
        await register_account(hasty, "5555555")
        assert await desk.title() == "口座登録・変更・削除: 申込完了"
        assert "お申込みを受け付けました。口座情報への反映を行っています。" in await desk.text()
        await desk.press("もう一度表示")
        assert "口座情報への反映を行っています。" in await desk.text()

    async def reflected() -> bool:
        await desk.page.reload()
        return "口座情報への反映を完了しました" in await desk.text()

    await desk.enter(admin, hasty.path())
    await eventually(reflected)
    await desk.press("口座情報一覧へ")
    assert "5555555" in await desk.text()


@pytest.mark.requirement("F5", "P7")
async def test_a_registration_that_accounts_refuses_says_why(
    open_desk: Callable[..., Awaitable[Desk]], town: Town
) -> None:
    admin = await administrator(town)
    first, second = await open_desk(), await open_desk()
    for desk in (first, second):
        await desk.enter(admin, "/accounts/new")
        await fill_account(desk, "6666666")
        await desk.press("申込内容の確認へ")
    await first.press("申込む")
    assert "口座情報への反映を完了しました" in await first.text()
    await second.press("申込む")
    assert await second.title() == "口座登録・変更・削除: 申込完了"
    text = await second.text()
    assert "お申込みは受け付けられませんでした。" in text
    assert "同じ口座が同じ利用区分ですでに登録されています。" in text


@pytest.mark.requirement("R101", "R102", "R103", "R104", "R105", "R204")
async def test_an_applicant_sees_the_accounts_in_every_order_and_no_buttons(
    open_desk: Callable[..., Awaitable[Desk]], town: Town
) -> None:
    admin = await administrator(town)
    office, desk = await open_desk(), await open_desk()
    await office.enter(admin)
    await register_account(office, "9999999", "保険料返還")
    await register_account(office, "0000001", "保険金請求")
    await office.open("/accounts/new")
    await fill_account(office, "0000002", "保険金請求")
    await office.press("申込内容の確認へ")
    assert "同じ利用区分の口座がすでに登録されています" in await office.text()
    await desk.enter(await town.applicant(admin))
    await desk.press("口座情報照会")
    for order, expected in (("昇順", ["0000001", "9999999"]), ("降順", ["9999999", "0000001"])):
        await desk.press(f"口座番号の{order}")
        assert await desk.page.locator("tbody td:nth-child(4)").all_inner_texts() == expected
    assert re.fullmatch(
        "[0-9]{4}/[0-9]{2}/[0-9]{2}", await desk.page.locator("tbody td:nth-child(6)").first.inner_text()
    )
    assert "9999 見本銀行" in await desk.page.locator("tbody td:nth-child(2)").first.inner_text()
    for words in ("新規登録", "変更", "削除"):
        assert await desk.page.get_by_text(words, exact=True).count() == 0
    await desk.open("/accounts/new")
    assert await desk.title() == "ご利用いただけません"
