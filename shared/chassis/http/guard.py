"""Around every request: its id and trace, its counters, and the promise that what leaves is an answer or a break."""

import asyncio
import re
import time
from typing import Final

import structlog
from aiohttp import HttpVersion10, hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr

from chassis import trace
from chassis.http.connections import reset
from chassis.http.failures import describe, problem_of
from chassis.http.headers import ALWAYS
from chassis.http.meters import Meters, template
from chassis.http.problems import BodyTooLarge, InternalError, MalformedRequest, MethodNotAllowed, NotFound, Problem

REQUEST_ID: Final = web.RequestKey("request-id", str)
LEAVING: Final = web.AppKey("leaving", asyncio.Event)
"""Set once the process is about to stop: answers then ask clients to come back on another connection."""
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_REQUEST_ID: Final = istr("X-Request-ID")
_TRACEPARENT: Final = istr("traceparent")
_ABOUT_US: Final = frozenset({"/live", "/ready", "/metrics"})
log = structlog.get_logger("http")


def guard(meters: Meters) -> Middleware:
    """The one middleware."""
    record = trace.recorder()

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        traceparent = _name(request)
        meters.in_flight += 1
        status = 500
        try:
            response = await _answer(request, handler)
            status = response.status
            return response
        finally:
            meters.in_flight -= 1
            meters.count(request, status, time.perf_counter() - started)
            if record is not None:
                record_request(record, request, traceparent, status, time.perf_counter() - started)

    return around


def record_request(record: trace.Record, request: web.Request, ours: str, status: int, seconds: float) -> None:
    """The span of a request that was answered just now; what only asks how we are is none."""
    route = template(request)
    if route in _ABOUT_US:
        return
    attributes = {"http.request.method": request.method, "http.route": route, "http.response.status_code": status}
    begun, parent = time.time_ns() - int(seconds * 1e9), request.headers.get(_TRACEPARENT)
    record(f"{request.method} {route}", "SERVER", ours, parent, begun, attributes, failed=status >= 500)


async def finish(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Put on every answer, streams too, what every answer carries (aiohttp's on_response_prepare)."""
    headers = response.headers
    if "X-Content-Type-Options" not in headers:
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        headers[hdrs.SERVER] = ALWAYS[hdrs.SERVER]  # aiohttp has already put its own there, with versions
    if request_id := request.get(REQUEST_ID):
        headers[_REQUEST_ID] = request_id
    if isinstance(request, web.Request) and request.app[LEAVING].is_set():
        headers[hdrs.CONNECTION] = "close"
        response.force_close()


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        if request.version < HttpVersion10:
            raise MalformedRequest
        response = await handler(request)
        if response.prepared or not request.writer.output_size:
            return response
        refusal: Problem = InternalError()  # it began one answer and returned another
        log.error("two answers", **_where(request))
    except Problem as problem:
        refusal = problem
    except web.HTTPMethodNotAllowed as known:
        return _wrong_method(request, ", ".join(sorted({*known.allowed_methods, hdrs.METH_OPTIONS})))
    except web.HTTPNotFound:
        refusal = NotFound(detail="お探しのURLはありません。")
    except web.HTTPRequestEntityTooLarge:
        refusal = BodyTooLarge()
    except web.HTTPRedirection:
        raise
    except asyncio.CancelledError:
        if request.writer.output_size:
            reset(request.transport)
        raise
    except Exception as error:
        refusal = problem_of(error)
        if isinstance(refusal, InternalError):
            log.error("unexpected exception", **_where(request), **describe(error))
        elif request.transport is not None and not request.transport.is_closing():
            log.warning("busy", **_where(request), **describe(error))
    if request.writer.output_size:
        reset(request.transport)
        raise ConnectionResetError
    return refusal.response(f"/requests/{request[REQUEST_ID]}")


def _wrong_method(request: web.Request, allowed: str) -> web.Response:
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers={hdrs.ALLOW: allowed})
    response = MethodNotAllowed().response(f"/requests/{request[REQUEST_ID]}")
    response.headers[hdrs.ALLOW] = allowed
    return response


def _name(request: web.Request) -> str:
    headers = request.headers
    traceparent = trace.use(headers.get(_TRACEPARENT))
    given = headers.get(_REQUEST_ID)
    request_id = given if given is not None and _SANE_ID.fullmatch(given) else traceparent[3:35]
    request[REQUEST_ID] = request_id
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return traceparent


def _where(request: web.Request) -> dict[str, str]:
    return {"method": request.method, "route": template(request)}
