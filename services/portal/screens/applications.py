"""Web申込状況一覧, one application with its time-line, 取下げ and 通知書 (R20, R49, R188, R199, R260)."""

import asyncio
from typing import Any, Final

from portal.answers import Answer
from portal.forms import whole_number
from portal.gateways import Gateway, Refused
from portal.narrowing import asked_for, listed
from portal.routing import Needs, Screens
from portal.screens.drafts import found_by
from portal.sheets.catalogue import sheet_of
from portal.visits import Visit

screens = Screens()

STATES: Final = {"draft": "入力中", "submitted": "申込中", "completed": "手続完了", "rejected": "不受理"}
SORTS: Final = {
    "number": "Web申込番号",
    "procedure": "申込種類",
    "state": "状況",
    "saved_at": "保存日時",
    "submitted_at": "Web申込日時",
}
STEPS: Final = {
    "confirm": "入力内容の保存",
    "correct": "修正",
    "attach": "ファイルの添付",
    "detach": "添付ファイルの削除",
    "submit": "申込み",
    "withdraw": "取下げ",
    "complete": "手続完了",
    "reject": "不受理",
}
FILTERS: Final = ("number", "applied_from", "applied_to", "user_id", "sort", "order", "page")
SIZE: Final = 20
NOTHING: Final = {"total": 0, "page": 1, "items": []}
STALE: Final = (
    "ほかの画面または利用者により内容が更新されています。最新の内容をご確認のうえ、もう一度操作してください。"
)


@screens.get("/applications", needs=Needs.USER)
async def show_list(visit: Visit) -> Answer:
    """Web申込状況一覧: searched, narrowed, sorted, by page; everything is in the address, to be bookmarked."""
    asked = _asked(visit)
    procedures = await visit.ask(Gateway.APPLICATIONS, "GET", "/procedures")
    form, answer = await listed(visit, Gateway.APPLICATIONS, "/applications", asked, {"size": SIZE})
    found: Any = answer or NOTHING
    return visit.page(
        "applications/list.html", form=form, found=found, pages=-(-found["total"] // SIZE), asked=asked,
        procedures=procedures, states=STATES, sorts=SORTS,
    )  # fmt: skip


@screens.get("/applications/{number:[0-9-]+}", needs=Needs.USER)
async def show(visit: Visit) -> Answer:
    """One application: where it stands, who did what when, and what was entered."""
    found = await found_by(visit)
    sheet = sheet_of(found)
    path = f"/applications/{found['number']}/timeline"
    rows, timeline = await asyncio.gather(sheet.rows(visit, found), visit.ask_calmly(Gateway.APPLICATIONS, "GET", path))
    visit.notice = visit.state.get("notice", "")
    return visit.page(
        "applications/show.html", found=found, rows=rows, timeline=timeline or [], steps=STEPS, pattern=sheet.pattern,
    )  # fmt: skip


@screens.post("/applications/{number:[0-9-]+}", needs=Needs.USER)
async def withdraw(visit: Visit) -> Answer:
    """取下げ of a draft, after the message box; the number is never used again."""
    path = f"/applications/{visit.args['number']}"
    given = {"version": whole_number(str(visit.form.get("version", ""))) or 0}
    try:
        await visit.ask(Gateway.APPLICATIONS, "POST", f"{path}/withdrawal", json=given)
    except Refused as refusal:
        if refusal.kind not in ("stale-version", "wrong-state"):
            raise
        return visit.go(path, {"notice": STALE if refusal.kind == "stale-version" else refusal.detail})
    return visit.go(path, {"notice": "この申込みを取り下げました。"})


@screens.get("/applications/{number:[0-9-]+}/notice", needs=Needs.USER)
async def download_notice(visit: Visit) -> Answer:
    """通知書."""
    return await visit.download(Gateway.APPLICATIONS, f"/applications/{visit.args['number']}/notice")


def _asked(visit: Visit) -> dict[str, Any]:
    """What the address narrows the list to; empty fields of the form are no conditions."""
    query = visit.request.query
    asked = asked_for(visit, FILTERS)
    for name, known in (("state", STATES), ("procedure", None)):
        chosen = [one for one in query.getall(name, []) if one and (known is None or one in known)]
        asked |= {name: chosen} if chosen else {}
    return asked
