"""From a screen's answer to HTTP: headers that hold for every page, cookies, and downloads that never end early."""

from typing import Final

import aiohttp
from aiohttp import hdrs, web

from portal.answers import Answer, Download, Page, Redirect

SESSION: Final = "__Host-session"
VISITOR: Final = "__Host-visitor"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Server": "portal",
}
PASSED_ON: Final = (hdrs.CONTENT_TYPE, hdrs.CONTENT_DISPOSITION, hdrs.CONTENT_LENGTH, "Record-Count", "Expected-Bytes")
CHUNK: Final = 64 * 1024


def session_cookie(request: web.Request) -> str:
    """The session token of the browser, or nothing."""
    return _cookie(request, SESSION)


def visitor_cookie(request: web.Request) -> str:
    """The name that we gave to the browser, or nothing."""
    return _cookie(request, VISITOR)


def _cookie(request: web.Request, name: str) -> str:
    given = request.cookies.get(name, "")
    return given if given.isascii() else ""  # ours are


async def reply(request: web.Request, answer: Answer, new_visitor: str) -> web.StreamResponse:
    """What goes to the browser; `new_visitor`: the name of a browser that had none."""
    if isinstance(answer, Download):
        try:
            return await _pass_through(request, answer.source)
        finally:
            answer.ended()
    if isinstance(answer, Redirect):
        response = web.Response(status=303, headers=HEADERS | {hdrs.LOCATION: answer.location})
        if answer.session:
            _set(response, SESSION, answer.session)
        elif answer.session == "":
            response.del_cookie(SESSION, path="/", secure=True, httponly=True, samesite="Strict")
    else:
        assert isinstance(answer, Page)
        response = web.Response(text=answer.html, status=answer.status, content_type="text/html", headers=HEADERS)
        if answer.status == 503:
            response.headers[hdrs.RETRY_AFTER] = "10"
        if answer.status == 405:
            response.headers[hdrs.ALLOW] = hdrs.METH_GET
    if new_visitor:
        _set(response, VISITOR, new_visitor)
    return response


def _set(response: web.Response, name: str, value: str) -> None:
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Strict")


async def _pass_through(request: web.Request, source: aiohttp.ClientResponse) -> web.StreamResponse:
    async with source:
        passed = {name: source.headers[name] for name in PASSED_ON if name in source.headers}
        response = web.StreamResponse(headers=HEADERS | passed)
        await response.prepare(request)
        try:
            async for chunk in source.content.iter_chunked(CHUNK):
                await response.write(chunk)
        except (aiohttp.ClientError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()  # a broken transfer must look broken (H7)
            raise
        await response.write_eof()
    return response
