"""One request of a browser, as a screen sees it: who asks, what was typed, the gateways, and the ways to answer."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp import hdrs, web
from markupsafe import Markup, escape

from portal.answers import Download, Page, Redirect
from portal.downloads import Downloads
from portal.gateways import Gateway, Gateways, Refused, Unavailable
from portal.rendering import Renderer
from portal.seals import Seals, Unreadable
from portal.sessions import Session, SessionOver, Sessions

NOBODY: Final = ""


class StepUpNeeded(Exception):
    """The gateway wants the one-time password first."""


class GetOnly(Exception):
    """A download is made, and recorded, for those who take it: not for HEAD."""


class House:
    """What all visits share."""

    def __init__(self, gateways: Gateways, sessions: Sessions, seals: Seals, renderer: Renderer) -> None:
        self.gateways, self.sessions, self.seals, self.renderer = gateways, sessions, seals, renderer
        self.downloads = Downloads()


class Visit:
    """A request with what belongs to it. `form` is empty unless it is a POST."""

    def __init__(self, house: House, request: web.Request, visitor: str, session: Session | None) -> None:
        self.house, self.request, self.visitor, self.session = house, request, visitor, session
        self.form: Mapping[str, Any] = {}
        self.choices: Mapping[str, list[str]] = {}
        """All values of a field that may come several times (check boxes)."""
        self.notice = ""
        self.me: Any = None
        """Answer of identity's /me, on the screens of people who are signed in."""

    @property
    def args(self) -> Mapping[str, str]:
        """The parts of the path."""
        return self.request.match_info

    @property
    def query(self) -> Mapping[str, str]:
        """The part of the URL after `?`."""
        return self.request.query

    @property
    def whose(self) -> str:
        """The Web user ID for whom forms and sealed inputs are made."""
        if self.me is not None:
            return str(self.me["user_id"])
        if self.session is not None:  # a temporary password: who it is, /me does not say yet
            return hashlib.sha256(self.session.token.encode()).hexdigest()
        return NOBODY

    async def introduce(self) -> None:
        """Learn whose session it is, on each request: an ended session must not show anything any more (L9)."""
        assert self.session is not None
        if self.session.must_change_password:
            return
        try:
            self.me = await self.ask(Gateway.IDENTITY, "GET", "/me")
            self.session.me = self.me
        except Unavailable:
            if self.session.me is None:
                raise
            self.me = self.session.me  # identity is away: what the other gateways serve still works

    @property
    def address_headers(self) -> dict[str, str]:
        """What gateways want to know about the browser: its address and its name."""
        hops = [*self.request.headers.getall(hdrs.X_FORWARDED_FOR, ()), self.request.remote or ""]
        agent = self.request.headers.get(hdrs.USER_AGENT, "")
        return {hdrs.X_FORWARDED_FOR: ", ".join(hops), hdrs.USER_AGENT: agent[:200]}

    async def ask(self, gateway: Gateway, method: str, path: str, **request: Any) -> Any:
        """The JSON of a gateway's answer, asked with this session's access token (if there is one).

        Raises Refused (handle the kinds you know), Unavailable, SessionOver, StepUpNeeded: the last three, and every
        Refused that is not handled, become a page by themselves. `request`: json=, params=, data=, headers=.
        """
        own = request.pop("headers", {})
        for anew in (False, True):
            if anew:
                await self.renew()
            try:
                return await self.house.gateways.ask(gateway, method, path, self._headers() | own, **request)
            except Refused as refusal:
                if refusal.kind == "step-up-required":
                    raise StepUpNeeded from refusal
                if refusal.kind != "unauthenticated" or self.session is None:
                    raise
        raise SessionOver

    async def ask_calmly(self, gateway: Gateway, method: str, path: str, **request: Any) -> Any:
        """The same for a part of a page that may be missing: None when the gateway is away."""
        try:
            return await self.ask(gateway, method, path, **request)
        except Unavailable:
            return None

    async def ask_if_there(self, gateway: Gateway, method: str, path: str, **request: Any) -> Any:
        """The same for what may be gone, or not there yet: None when the gateway does not find it."""
        try:
            return await self.ask(gateway, method, path, **request)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None

    async def download(self, gateway: Gateway, path: str) -> Download:
        """A file of a gateway, passed through. Raises like `ask`, GetOnly, and TooManyDownloads."""
        if self.request.method != hdrs.METH_GET:
            raise GetOnly
        ended = self.house.downloads.enter(self.whose)
        try:
            return Download(await self._open(gateway, path), ended)
        except BaseException:
            ended()
            raise

    async def _open(self, gateway: Gateway, path: str) -> aiohttp.ClientResponse:
        try:
            return await self.house.gateways.open(gateway, path, self._headers())
        except Refused as refusal:
            if refusal.kind == "step-up-required":
                raise StepUpNeeded from refusal
            if refusal.kind != "unauthenticated":
                raise
        await self.renew()
        return await self.house.gateways.open(gateway, path, self._headers())

    def demand_step_up(self) -> None:
        """For a screen that asks no gateway yet: the one-time password comes before the input, not after it."""
        if self.session is not None and self.session.one_time_password_due:
            raise StepUpNeeded

    async def renew(self) -> None:
        """Take a new access token: rights or own data have changed."""
        assert self.session is not None
        self.session = await self.house.sessions.open(self.session.token, self.address_headers, anew=True)

    def _headers(self) -> dict[str, str]:
        known = {} if self.session is None else {hdrs.AUTHORIZATION: f"Bearer {self.session.access_token}"}
        return self.address_headers | known

    def seal(self, values: Any, path: str = "") -> str:
        """Input on its way through the browser, unreadable and unchangeable there: for the URL of the screen at `path`,
        or for a hidden field of this one."""
        return self.house.seals.seal(values, self.whose or self.visitor, path or self.request.path)

    @property
    def state(self) -> dict[str, Any]:
        """The sealed input in `?state=` (or the form's hidden `state`); empty when there is none.

        Raises Unreadable for what was not sealed for this user and screen, which becomes a page by itself.
        """
        token = self.form.get("state") or self.query.get("state")
        if not token:
            return {}
        found = self.house.seals.unseal(str(token), self.whose or self.visitor, self.request.path)
        if not isinstance(found, dict):
            raise Unreadable
        return found

    def go(
        self,
        path: str,
        state: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        part: str = "",
    ) -> Redirect:
        """To another screen, with sealed input and plain parameters; `part`: the place of the page to show."""
        given = dict(query or {}) | ({"state": self.seal(dict(state), path)} if state is not None else {})
        return Redirect(path + (f"?{urlencode(given)}" if given else "") + (f"#{part}" if part else ""))

    def page(self, template: str, *, status: int = 200, **context: Any) -> Page:
        """Draw a template with the screen's own values; `notice` stands on top of the page."""
        given = {
            "visit": self,
            "me": self.me,
            "notice": self.notice,
            "pattern": 1,
            "form_token": lambda: self._token_field(self.whose),
            "anyones_token": lambda: self._token_field(NOBODY),
            "step_up_due": self.session is not None and self.session.one_time_password_due,
        }
        return Page(self.house.renderer.draw(template, given | context), status)

    def safe_path(self, given: str, otherwise: str = "/") -> str:
        """A path of ours to return to; never another site."""
        own = given.startswith("/") and not given.startswith("//")
        return given if own and given.isprintable() and "\\" not in given else otherwise

    def onward(self, wanted: str) -> dict[str, str]:
        """The query that remembers where somebody wanted to go; nothing for the user page."""
        return {"next": wanted} if wanted != "/" else {}

    def _token_field(self, whose: str) -> Markup:
        token = self.house.seals.form_token(self.visitor, whose)
        return Markup('<input type="hidden" name="form_token" value="{}">').format(escape(token))
