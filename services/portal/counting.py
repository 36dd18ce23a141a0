"""Around every request: its trace, its counters, and its id in the logs."""

import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chassis import trace
from chassis.http.guard import record_request
from chassis.http.meters import Meters


def counted(meters: Meters) -> Middleware:
    """The one middleware."""
    record = trace.recorder()

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        traceparent = trace.use(None)
        structlog.contextvars.bind_contextvars(request_id=traceparent[3:35])
        meters.in_flight += 1
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as known:
            status = known.status
            raise
        finally:
            meters.in_flight -= 1
            meters.count(request, status, time.perf_counter() - started)
            if record is not None:
                record_request(record, request, traceparent, status, time.perf_counter() - started)

    return around
