"""What people see when something stands in the way: never an error screen without a way on."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from portal.answers import Answer, Page, Redirect
from portal.gateways import Gateway, Refused, Unavailable
from portal.seals import Unreadable
from portal.sessions import SessionOver
from portal.sheets.sheet import NothingToCorrect
from portal.visits import GetOnly, StepUpNeeded, Visit

log = structlog.get_logger()

FUNCTIONS: Final = {
    Gateway.IDENTITY: "ログイン、パスワード、ワンタイムパスワード、Webユーザー情報",
    Gateway.ACCOUNTS: "口座情報、保険利用者情報の照会",
    Gateway.APPLICATIONS: "お手続きの入力・申込み、Web申込状況一覧",
    Gateway.NOTIFIER: "お知らせ、メールの送信状況",
    Gateway.AUDIT: "アクセス履歴、操作の記録の照会",
}


class NotSignedIn(Exception):
    """There is no session cookie."""


class ForeignForm(Exception):
    """The form was not made for this browser and user, or does not come from this site."""


class MalformedForm(Exception):
    """What came is no form, or too large, or too slow."""


class NoSuchPage(Exception):
    """Nothing is at this address."""


async def as_page(visit: Visit, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The screen's answer, or the page for what stood in its way."""
    try:
        return await work()
    except (NotSignedIn, SessionOver) as over:
        return _to_login(visit, timed_out=isinstance(over, SessionOver))
    except StepUpNeeded:
        return visit.go("/one-time-password", query={"next": visit.request.path_qs})
    except NothingToCorrect as gone:
        return visit.go(f"/applications/{gone.number}", {"notice": gone.why})
    except Unavailable as silence:
        return _away(visit, silence.gateway)
    except Refused as refusal:
        return _refused(visit, refusal)
    except ForeignForm:
        return visit.page("troubles/foreign_form.html", status=403)
    except Unreadable:
        return visit.page("troubles/unreadable.html", status=400)
    except MalformedForm:
        return visit.page("troubles/malformed.html", status=400)
    except NoSuchPage:
        return visit.page("troubles/not_found.html", status=404)
    except GetOnly:
        return Page("", 405)
    except Exception as error:
        at = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
        log.error("screen_failed", path=_template_of(visit.request), error=type(error).__name__, at=at)
        return visit.page("troubles/failed.html", status=500)


def _to_login(visit: Visit, *, timed_out: bool) -> Redirect:
    wanted = visit.request.path_qs  # of a POST too: the page with its form is at the same address
    if not timed_out:
        return visit.go("/login", query=visit.onward(wanted))
    return Redirect(visit.go("/timed-out", query=visit.onward(wanted)).location, session="")


def _away(visit: Visit, gateway: Gateway) -> Page:
    still = [text for one, text in FUNCTIONS.items() if one is not gateway]
    return visit.page("troubles/away.html", status=503, away=FUNCTIONS[gateway], still=still)


def _refused(visit: Visit, refusal: Refused) -> Page:
    if refusal.status == 404:
        return visit.page("troubles/not_found.html", status=404)
    if refusal.kind == "forbidden":
        return visit.page("troubles/forbidden.html", status=403)
    return visit.page("troubles/refused.html", status=refusal.status, refusal=refusal)


def _template_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"
