"""A part of the walk: applicants one by one, and many by a file."""

from typing import Any, Final

from tests.portal.desks import Desk, Town, User
from tests.portal.stations import Part, Station


async def applicants(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """List, registration with rider codes, details, change, reset."""
    await desk.enter(admin, "/applicants/new")
    await desk.press("確認する")
    await station("applicant-new-errors")
    await desk.page.locator("#email").fill("hanako@sample.com")
    await desk.page.locator("#name").fill("貿易　花子")
    await desk.page.locator("#contract_data-listed_riders").check()
    await desk.touch("特約コードの追加／削除")
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
    await desk.touch("パスワードリセット")
    await station("applicant-reset-message-box")
    await desk.press("OK")
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


async def imports(town: Town, desk: Desk, station: Station, admin: User) -> None:
    """一括登録."""
    await desk.enter(admin)
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


PARTS: Final[tuple[Part, ...]] = (applicants, imports)
