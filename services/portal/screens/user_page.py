"""ユーザーページ with its menus and notices, and the one-time password (R9 to R31, R318 to R334)."""

import asyncio
from typing import Any, Final

from portal.answers import Answer
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.menus import MORE, PATHS
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

ONE_TIME_PASSWORD: Final = {"code": "パスワード"}


@screens.get("/", needs=Needs.USER)
async def show_user_page(visit: Visit) -> Answer:
    """The top page: everything starts here."""
    menu, notices = await asyncio.gather(
        visit.ask(Gateway.IDENTITY, "GET", "/menu"), visit.ask_calmly(Gateway.NOTIFIER, "GET", "/notices/newest")
    )
    return visit.page("user_page/user_page.html", menu=menu, notices=notices, paths=PATHS, more=MORE)


@screens.get("/notices", needs=Needs.USER)
async def list_notices(visit: Visit) -> Answer:
    """掲載中のお知らせ一覧."""
    found = await visit.ask(Gateway.NOTIFIER, "GET", "/notices")
    return visit.page("user_page/notices.html", notices=found["notices"])


@screens.get("/notices/{notice_id:[A-Za-z0-9-]+}", needs=Needs.USER)
async def show_notice(visit: Visit) -> Answer:
    """One notice."""
    found = await visit.ask(Gateway.NOTIFIER, "GET", f"/notices/{visit.args['notice_id']}")
    return visit.page("user_page/notice.html", found=found)


@screens.get("/one-time-password", needs=Needs.USER)
async def show_one_time_password(visit: Visit) -> Answer:
    """ワンタイムパスワード入力; before one was issued, the button that issues it."""
    state: dict[str, Any] = visit.state
    form = Form(errors=state.get("errors", {}))
    wanted = visit.safe_path(visit.query.get("next", ""))
    return visit.page(
        "user_page/one_time_password.html",
        form=form,
        labels=ONE_TIME_PASSWORD,
        issued=state.get("issued"),
        refusal=state.get("refusal", ""),
        next=wanted,
    )


@screens.post("/one-time-password", needs=Needs.USER, limit=8192)
async def issue_or_enter(visit: Visit) -> Answer:
    """ワンタイムパスワードの発行, or 認証."""
    wanted = visit.safe_path(str(visit.form.get("next", "")))
    if visit.form.get("action") == "enter":
        return await _enter(visit, wanted)
    try:
        issued = await visit.ask(Gateway.IDENTITY, "POST", "/one-time-passwords")
    except Refused as refusal:
        return visit.go("/one-time-password", {"refusal": refusal.detail}, query={"next": wanted})
    return visit.go("/one-time-password", {"issued": issued}, query={"next": wanted})


async def _enter(visit: Visit, wanted: str) -> Answer:
    form, issued = Form({"code": str(visit.form.get("code", ""))}), visit.state.get("issued")
    form.require(ONE_TIME_PASSWORD)
    if not form.sound:
        return visit.go("/one-time-password", {"issued": issued, "errors": form.errors}, query={"next": wanted})
    try:
        given = await visit.ask(
            Gateway.IDENTITY, "POST", "/one-time-passwords/entries", json={"code": form.value("code")[:50]}
        )
    except Refused as refusal:
        if refusal.kind == "one-time-password-lapsed":
            return visit.go("/one-time-password", {"refusal": refusal.detail}, query={"next": wanted})
        errors = {"code": [refusal.detail]}
        return visit.go("/one-time-password", {"issued": issued, "errors": errors}, query={"next": wanted})
    assert visit.session is not None
    visit.session = visit.house.sessions.keep(visit.session.token, given)
    return visit.go(wanted)
