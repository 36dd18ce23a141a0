"""パスワード変更, of one's own will or because the password was a temporary one (R96 to R98, L5)."""

from typing import Final

from portal.answers import Answer, Redirect
from portal.delays import until_everywhere
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

LABELS: Final = {
    "current_password": "現在のパスワード",
    "new_password": "新しいパスワード",
    "repeated": "新しいパスワード（確認）",
}


@screens.get("/password", needs=Needs.USER)
async def show_change(visit: Visit) -> Answer:
    """パスワード変更."""
    visit.demand_step_up()
    return _page(visit, forced=False)


@screens.post("/password", needs=Needs.USER, limit=64 * 1024)
async def change(visit: Visit) -> Answer:
    """パスワードを変更する: all sessions end, and this browser gets a new one."""
    return await _change(visit, "/password")


@screens.get("/password/first", needs=Needs.SESSION)
async def show_first_change(visit: Visit) -> Answer:
    """The forced change after the login with a temporary password."""
    if visit.me is not None:
        return visit.go("/")
    return _page(visit, forced=True)


@screens.post("/password/first", needs=Needs.SESSION, limit=64 * 1024)
async def change_first(visit: Visit) -> Answer:
    """The same for a temporary password."""
    return await _change(visit, "/password/first")


@screens.get("/password/done", needs=Needs.USER)
async def show_done(visit: Visit) -> Answer:
    """パスワード変更完了."""
    visit.notice = visit.state.get("notice", "")
    return visit.page("passwords/done.html")


def _page(visit: Visit, *, forced: bool) -> Answer:
    form = Form(errors=visit.state.get("errors", {}))
    return visit.page("passwords/change.html", form=form, labels=LABELS, forced=forced)


async def _change(visit: Visit, path: str) -> Answer:
    values = {name: str(visit.form.get(name, "")) for name in LABELS}
    form = Form(values)
    form.require(LABELS)
    if form.sound and values["new_password"] != values["repeated"]:
        form.errors["repeated"] = ["新しいパスワードと一致していません。"]
    if form.sound:
        given = {name: values[name] for name in ("current_password", "new_password")}
        try:
            session = await visit.ask(Gateway.IDENTITY, "PUT", "/password", json=given)
        except Refused as refusal:
            if refusal.kind == "password-locked":
                return visit.go("/password-error")
            form.add(refusal.fields if refusal.status == 422 else {"current_password": [refusal.detail]})
        else:
            assert visit.session is not None
            visit.house.sessions.forget(visit.session.token)
            visit.me = session  # with a temporary password it was not known yet who it is
            delay = until_everywhere(session)
            done = visit.go("/password/done", {"notice": delay} if delay else None)
            return Redirect(done.location, session=session["session_token"])
    return visit.go(path, {"errors": form.errors})
