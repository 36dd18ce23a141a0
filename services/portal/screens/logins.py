"""Login, the password-error screen, the time-out screen, logout, and パスワード再発行 (R32 to R39, R121 to R124)."""

from typing import Final

from portal.answers import Answer, Redirect
from portal.delays import until_everywhere
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.replies import session_cookie
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

LOGIN: Final = {"user_id": "WebユーザーID", "password": "パスワード"}
REISSUE: Final = {"user_id": "WebユーザーID", "email": "メールアドレス"}


@screens.get("/login", needs=Needs.NOBODY)
async def show_login(visit: Visit) -> Answer:
    """ログイン."""
    state = visit.state
    form = Form({"user_id": state.get("user_id", "")}, state.get("errors", {}))
    return visit.page("logins/login.html", form=form, labels=LOGIN, next=visit.query.get("next", ""))


@screens.post("/login", needs=Needs.NOBODY, limit=32 * 1024)
async def log_in(visit: Visit) -> Answer:
    """Open a session; its token goes into the cookie and nowhere else."""
    wanted = visit.safe_path(str(visit.form.get("next", "")))
    user_id, password = (str(visit.form.get(name, "")) for name in LOGIN)
    form = Form({"user_id": user_id, "password": password})
    form.require(LOGIN)
    if form.sound:
        given = {"user_id": user_id.strip(), "password": password}
        try:
            session = await visit.ask(Gateway.IDENTITY, "POST", "/sessions", json=given)
        except Refused as refusal:
            if refusal.kind == "password-locked":
                return visit.go("/password-error")
            message = refusal.detail
            if refusal.status == 422:
                message = "ログインできませんでした。WebユーザーIDとパスワードをご確認ください。"
            form.errors["user_id"] = [message]
        else:
            _forget(visit)
            path = "/password/first" if session["password_change_required"] else wanted
            return Redirect(path, session=session["session_token"])
    return visit.go("/login", {"user_id": user_id[:50], "errors": form.errors}, query=visit.onward(wanted))


@screens.get("/password-error", needs=Needs.NOBODY)
async def show_password_error(visit: Visit) -> Answer:
    """パスワードエラー: the password was wrong too many times in a row (R36)."""
    return visit.page("logins/password_error.html")


@screens.get("/timed-out", needs=Needs.NOBODY)
async def show_timed_out(visit: Visit) -> Answer:
    """A new login is needed, and what was not confirmed is lost (R39)."""
    return visit.page("logins/timed_out.html", next=visit.safe_path(visit.query.get("next", "")))


@screens.post("/logout", needs=Needs.NOBODY)
async def log_out(visit: Visit) -> Answer:
    """ログアウト, 終了: in force everywhere when the page comes, or the page says from when."""
    delay = ""
    if token := session_cookie(visit.request):
        ended = await visit.ask(Gateway.IDENTITY, "DELETE", "/sessions/current", headers={"X-Session-Token": token})
        delay = until_everywhere(ended)
        _forget(visit)
    return Redirect(visit.go("/logged-out", {"notice": delay} if delay else None).location, session="")


@screens.get("/logged-out", needs=Needs.NOBODY)
async def show_logged_out(visit: Visit) -> Answer:
    """The session is over."""
    visit.notice = visit.state.get("notice", "")
    return visit.page("logins/logged_out.html")


@screens.get("/password-reissue", needs=Needs.NOBODY)
async def show_reissue(visit: Visit) -> Answer:
    """パスワード再発行, for administrators."""
    state = visit.state
    form = Form(state.get("values", {}), state.get("errors", {}))
    return visit.page("logins/reissue.html", form=form, labels=REISSUE, ask=state.get("ask", False))


@screens.post("/password-reissue", needs=Needs.NOBODY, limit=8192)
async def request_reissue(visit: Visit) -> Answer:
    """メールを送信する, after the message box; answered alike whoever asks."""
    values = {name: str(visit.form.get(name, ""))[:200].strip() for name in REISSUE}
    form = Form(values)
    form.require(REISSUE)
    if form.sound and visit.form.get("confirmed") != "yes":  # the Enter key: ask first, as the button does (R123)
        return visit.go("/password-reissue", {"values": values, "ask": True})
    if form.sound:
        try:
            accepted = await visit.ask(Gateway.IDENTITY, "POST", "/password-reissues", json=values)
        except Refused as refusal:
            form.errors["user_id"] = [refusal.detail]
        else:
            return visit.go("/password-reissue/done", {"message": accepted["message"]})
    return visit.go("/password-reissue", {"values": values, "errors": form.errors})


@screens.get("/password-reissue/done", needs=Needs.NOBODY)
async def show_reissued(visit: Visit) -> Answer:
    """What happens next."""
    return visit.page("logins/reissued.html", message=visit.state.get("message", ""))


def _forget(visit: Visit) -> None:
    """The session that this browser had before is none of ours any more."""
    visit.house.sessions.forget(session_cookie(visit.request))
