"""アクセス履歴出力, and the security trail beside it: search, size first, then the download (R240 to R253)."""

from datetime import datetime
from typing import Any, Final

from portal.answers import Answer
from portal.entry import demand_administrator
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.rendering import TOKYO
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

LABELS: Final = {
    "first_day": "対象期間（開始日）",
    "last_day": "対象期間（終了日）",
    "user_id": "対象WebユーザーID",
    "form": "出力形式",
    "encoding": "文字コード",
}
FORMS: Final = {"by_user": "WebユーザーID単位", "by_time": "アクセス日時単位"}
ENCODINGS: Final = {"utf-8": "UTF-8（BOM付き）", "windows-31j": "Windows-31J（シフトJIS）"}
VIEWS: Final = {"access-history": "アクセス履歴出力", "security-trail": "操作の記録の出力"}
SEARCH: Final = "/{search_id:[0-9a-f-]+}"


@screens.get("/access-history", needs=Needs.USER)
async def show_history(visit: Visit) -> Answer:
    """The conditions, and what was found."""
    return await _show(visit, "access-history")


@screens.post("/access-history", needs=Needs.USER)
async def search_history(visit: Visit) -> Answer:
    """検索."""
    return await _search(visit, "access-history", "/access-history")


@screens.get("/access-history" + SEARCH, needs=Needs.USER)
async def download_history(visit: Visit) -> Answer:
    """ダウンロード, streamed through; a transfer that breaks looks broken."""
    return await _download(visit, "access-history", "csv")


@screens.get("/access-history" + SEARCH + "/manifest", needs=Needs.USER)
async def download_history_manifest(visit: Visit) -> Answer:
    """The signed statement to keep beside the file."""
    return await _download(visit, "access-history", "manifest")


@screens.get("/security-trail/export", needs=Needs.USER)
async def show_trail_export(visit: Visit) -> Answer:
    """The same for the security trail."""
    return await _show(visit, "security-trail")


@screens.post("/security-trail/export", needs=Needs.USER)
async def search_trail(visit: Visit) -> Answer:
    """検索."""
    return await _search(visit, "security-trail", "/security-trail/export")


@screens.get("/security-trail" + SEARCH, needs=Needs.USER)
async def download_trail(visit: Visit) -> Answer:
    """ダウンロード."""
    return await _download(visit, "security-trail", "csv")


@screens.get("/security-trail" + SEARCH + "/manifest", needs=Needs.USER)
async def download_trail_manifest(visit: Visit) -> Answer:
    """The signed statement to keep beside the file."""
    return await _download(visit, "security-trail", "manifest")


async def _show(visit: Visit, view: str) -> Answer:
    demand_administrator(visit)
    state = visit.state
    today = datetime.now(TOKYO).date().isoformat()
    fresh = {"first_day": today[:8] + "01", "last_day": today, "user_id": "", "form": "by_user", "encoding": "utf-8"}
    known = await visit.ask(Gateway.AUDIT, "GET", "/access-history/user-ids")
    users = [("", "（全ユーザー指定）"), *((one["user_id"], one["user_id"]) for one in known)]
    return visit.page(
        "histories/export.html", form=Form(state.get("values", fresh), state.get("errors", {})), labels=LABELS,
        view=view, title=VIEWS[view], users=users, forms=list(FORMS.items()), encodings=list(ENCODINGS.items()),
        found=state.get("found"), words=FORMS | ENCODINGS,
    )  # fmt: skip


async def _search(visit: Visit, view: str, path: str) -> Answer:
    values = {name: str(visit.form.get(name, "")).strip()[:100] for name in LABELS}
    form = Form(values)
    form.require({name: label for name, label in LABELS.items() if name != "user_id"})
    found: Any = None
    if form.sound:
        asked = values | {"user_id": values["user_id"] or None}
        try:
            found = await visit.ask(Gateway.AUDIT, "POST", f"/{view}/searches", json=asked)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            form.add(refusal.fields)
    return visit.go(path, {"values": values, "errors": form.errors, "found": found}, part="found" if found else "")


async def _download(visit: Visit, view: str, what: str) -> Answer:
    return await visit.download(Gateway.AUDIT, f"/{view}/searches/{visit.args['search_id']}/{what}")
