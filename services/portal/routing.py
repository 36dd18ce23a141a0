"""How a request finds its screen: who may come, what a form must bring, and that two clicks are one."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from aiohttp import hdrs, web

from portal import troubles
from portal.answers import Answer, Redirect
from portal.forms_in import MOST, close_files, fingerprint, read_form
from portal.replies import reply, session_cookie, visitor_cookie
from portal.sessions import Session
from portal.visits import NOBODY, House, Visit

ONCE_SECONDS: Final = 30.0

Handler = Callable[[Visit], Awaitable[Answer]]


class Needs(Enum):
    """Who may see a screen. What they may do there, the gateways decide."""

    NOBODY = 0
    """Everybody, signed in or not."""
    SESSION = 1
    """Everybody signed in, also those who must first change a temporary password."""
    USER = 2
    """Users who may use the service."""


@dataclass(frozen=True)
class Screen:
    """One path and method."""

    method: str
    path: str
    needs: Needs
    limit: int
    handler: Handler


class Screens:
    """The screens of one file: `@screens.get(path, needs=Needs.USER)`, `@screens.post(…)`."""

    def __init__(self) -> None:
        self._all: list[Screen] = []

    def __iter__(self) -> Iterator[Screen]:
        return iter(self._all)

    def get(self, path: str, *, needs: Needs) -> Callable[[Handler], Handler]:
        """A page."""
        return self._add("GET", path, needs, 0)

    def post(self, path: str, *, needs: Needs, limit: int = MOST) -> Callable[[Handler], Handler]:
        """What a button sends; `limit`: bytes of the whole form. It answers `visit.go(…)`."""
        return self._add("POST", path, needs, limit)

    def _add(self, method: str, path: str, needs: Needs, limit: int) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self._all.append(Screen(method, path, needs, limit, handler))
            return handler

        return added


class Doorkeeper:
    """Takes requests to screens."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._sent: dict[bytes, asyncio.Task[Answer]] = {}

    def serve(self, screen: Screen) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler for aiohttp."""

        async def answer(request: web.Request) -> web.StreamResponse:
            known = visitor_cookie(request)
            visit = Visit(self._house, request, known or os.urandom(16).hex(), None)
            answered = await troubles.as_page(visit, lambda: self._answer(screen, visit))
            return await reply(request, answered, new_visitor="" if known else visit.visitor)

        return answer

    async def _answer(self, screen: Screen, visit: Visit) -> Answer:
        session = await self._session(visit) if screen.needs is not Needs.NOBODY else None
        visit.session = session
        if session is not None:
            if screen.needs is Needs.USER and session.must_change_password:
                return visit.go("/password/first")
            await visit.introduce()
        if screen.method == "GET":
            return await screen.handler(visit)
        await read_form(visit, screen.limit)
        try:
            if not self._is_ours(visit, screen):
                raise troubles.ForeignForm
            return await self._once(visit, screen)
        finally:
            close_files(visit)

    async def _session(self, visit: Visit) -> Session:
        token = session_cookie(visit.request)
        if not token:
            raise troubles.NotSignedIn
        return await self._house.sessions.open(token, visit.address_headers)

    def _is_ours(self, visit: Visit, screen: Screen) -> bool:
        """The form came from a page of this site, made for this browser and this user (no CSRF)."""
        origin = visit.request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin.partition("://")[2] != visit.request.host:
            return False
        if origin is None and visit.request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        whose = NOBODY if screen.needs is Needs.NOBODY else visit.whose
        return self._house.seals.is_form_token(str(visit.form.get("form_token", "")), visit.visitor, whose)

    async def _once(self, visit: Visit, screen: Screen) -> Answer:
        """Let the second of two clicks wait for the first one's answer."""
        key = fingerprint(visit)
        running = self._sent.get(key)
        if running is None:
            running = self._sent[key] = asyncio.ensure_future(screen.handler(visit))
            running.add_done_callback(lambda task: self._done(key, task))
        return await asyncio.shield(running)

    def _done(self, key: bytes, task: "asyncio.Task[Answer]") -> None:
        succeeded = not task.cancelled() and task.exception() is None and isinstance(task.result(), Redirect)
        asyncio.get_running_loop().call_later(ONCE_SECONDS if succeeded else 0, self._sent.pop, key, None)
