"""Webユーザー情報照会, and one's own sessions and recent operations (R99, R100)."""

import asyncio
from typing import Final

from contracts.permissions import APPLICATION_DATA_LABELS, CONTRACT_DATA_LABELS, ENTRY_LABELS, Role
from portal.answers import Answer
from portal.delays import until_everywhere
from portal.gateways import Gateway
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

ROLES: Final = {
    Role.ADMINISTRATOR: "Webユーザー（管理者）",
    Role.APPLICANT: "Webユーザー（申込者）",
    Role.GROUP_VIEWER: "全社閲覧用ID",
}
OUTCOMES: Final = {"done": "完了", "failed": "失敗", "refused": "拒否"}


@screens.get("/own-information", needs=Needs.USER)
async def show_own_information(visit: Visit) -> Answer:
    """Webユーザー情報照会: nothing can be changed here."""
    visit.demand_step_up()
    me = visit.me
    rows = [
        ("種類", ROLES[me["role"]]),
        ("WebユーザーID", me["user_id"]),
        ("メールアドレス", me["email"]),
        ("氏名", me["name"]),
        ("電話番号", me["phone"]),
        ("所属名", me["department"]),
        ("役職名", me["title"]),
        ("入力/申込権限", ENTRY_LABELS[me["entry"]]),
        ("情報データ参照範囲", CONTRACT_DATA_LABELS[me["contract_data"]]),
        ("参照可能な特約コード", "、".join(me["rider_codes"])),
        ("申込データ参照範囲", APPLICATION_DATA_LABELS[me["application_data"]]),
        ("ワンタイムパスワード利用", "利用する" if me["one_time_password"]["in_use"] else "利用しない"),
    ]
    shown = [{"label": label, "value": value} for label, value in rows if value]
    return visit.page("own/information.html", rows=shown)


@screens.get("/sessions", needs=Needs.USER)
async def show_sessions(visit: Visit) -> Answer:
    """Where one is logged in, and what one did lately."""
    sessions, logins, history = await asyncio.gather(
        visit.ask(Gateway.IDENTITY, "GET", "/sessions"),
        visit.ask(Gateway.IDENTITY, "GET", "/logins"),
        visit.ask_calmly(Gateway.AUDIT, "GET", "/own-history", params={"limit": "20"}),
    )
    return visit.page(
        "own/sessions.html",
        sessions=sessions["sessions"],
        logins=logins["logins"],
        history=history and history["rows"],
        outcomes=OUTCOMES,
        notice=visit.state.get("notice", ""),
    )


@screens.post("/sessions", needs=Needs.USER)
async def end_sessions(visit: Visit) -> Answer:
    """End another session of one's own, or all but this one; when that is in force everywhere, or from when."""
    wanted = str(visit.form.get("session_id", ""))
    if wanted != "others" and not (wanted.isascii() and wanted.isalnum()):
        return visit.go("/sessions")
    ended = await visit.ask_if_there(Gateway.IDENTITY, "DELETE", f"/sessions/{wanted}")
    if ended is None:
        return visit.go("/sessions", {"notice": "このログインはすでに終了しています。"})
    return visit.go("/sessions", {"notice": f"{ended['ended']}件のログインを終了しました。{until_everywhere(ended)}"})
