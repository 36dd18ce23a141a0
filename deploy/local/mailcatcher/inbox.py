"""The web inbox: pages for people, /api/messages for tests and the demo."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from aiohttp import web
from aiohttp.typedefs import Handler

from deploy.local.mailcatcher.mailbox import Mail, Mailbox, Search

TOKYO = timezone(timedelta(hours=9))  # a bare machine has no time zone files
PAGE = 200  # mails shown at once
LONGEST_WAIT = 30.0  # seconds
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
LOCAL_NAMES = {"127.0.0.1", "localhost"}


class Inbox:
    """What a browser and a test may ask for."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
        self.templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self.templates.trim_blocks = self.templates.lstrip_blocks = True
        self.templates.filters["tokyo"] = lambda moment: moment.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S")

    def application(self) -> web.Application:
        """All doors."""
        application = web.Application(middlewares=[guard])
        application.add_routes(
            [
                web.get("/", self.index),
                web.get("/messages/{id}", self.message),
                web.get("/api/messages", self.messages),
                web.get("/api/messages/{id}", self.one),
                web.delete("/api/messages", self.clear),
            ]
        )
        return application

    async def index(self, request: web.Request) -> web.Response:
        """The list, newest first, with three search fields."""
        search = asked(request)
        mails = await self.mailbox.search(search)
        return self.page("inbox.html", mails=mails[:PAGE], count=len(mails), search=search)

    async def message(self, request: web.Request) -> web.Response:
        """One mail."""
        return self.page("message.html", mail=self.wanted(request))

    async def messages(self, request: web.Request) -> web.Response:
        """Search by recipient, subject, body, `after` (an id); `wait` seconds for the first match. Newest first."""
        try:
            wait = min(float(request.query.get("wait", "0")), LONGEST_WAIT)
        except ValueError:
            raise web.HTTPBadRequest(text="wait is a number of seconds.") from None
        mails = await self.mailbox.search(asked(request), wait)
        return web.json_response({"messages": [written(mail) for mail in mails]})

    async def one(self, request: web.Request) -> web.Response:
        """One mail with its headers."""
        mail = self.wanted(request)
        return web.json_response({**written(mail), "headers": mail.headers})

    async def clear(self, _request: web.Request) -> web.Response:
        """Empty the mailbox."""
        self.mailbox.clear()
        return web.Response(status=204)

    def wanted(self, request: web.Request) -> Mail:
        """The mail a path names."""
        mail = self.mailbox.find(request.match_info["id"])
        if mail is None:
            raise web.HTTPNotFound(text="There is no such mail.")
        return mail

    def page(self, template: str, **facts: Any) -> web.Response:
        """A page in which nothing of a mail is markup."""
        html = self.templates.get_template(template).render(**facts)
        return web.Response(text=html, content_type="text/html")


def asked(request: web.Request) -> Search:
    """The search that a query string asks for."""
    return Search(**{field.name: request.query.get(field.name, "") for field in fields(Search)})


def written(mail: Mail) -> dict[str, Any]:
    """A mail as JSON, without its headers."""
    facts = asdict(mail) | {"received": mail.received.isoformat()}
    del facts["headers"]
    return facts


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only this machine's own names are served (a foreign name that resolves here would let its site read mails)."""
    if urlsplit(f"//{request.host}").hostname not in LOCAL_NAMES:
        raise web.HTTPForbidden(text="The inbox answers to 127.0.0.1 and localhost only.")
    response = await handler(request)
    if response.content_type == "text/html":  # a browser's own PDF viewer would be refused by it
        response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
