"""One client's connection: what aiohttp does, with the deadlines and limits that it leaves to a proxy."""

import asyncio
import os
import socket
import struct
from typing import Any, Final

import structlog
from aiohttp import http_exceptions, http_parser, web
from aiohttp.web_protocol import RequestHandler

from chassis.http.failures import describe
from chassis.http.problems import InternalError, MalformedRequest, Problem, RequestHeadersTooLarge

KEEPALIVE_SECONDS: Final = 20.0
HEADER_SECONDS: Final = 8.0
STALLED_SECONDS: Final = 30.0
"""How long a client may leave our answer unread before it is cut off."""
MOST_CONNECTIONS: Final = 2000
log = structlog.get_logger("http")


class Connection(RequestHandler):
    """Headers must be complete 8 s after their first byte, answers must be taken, and refusals are problems too."""

    __slots__ = ("_header_timer", "_stall_timer")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it, unless there are too many."""
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > MOST_CONNECTIONS:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing to wait for any more."""
        for timer in (self._header_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the clock when a request begins to arrive, stop it when its headers are complete."""
        super().data_received(data)
        waiter = self._waiter
        if waiter is None or waiter.done():
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None
        elif self._header_timer is None and data:
            self._header_timer = self._loop.call_later(HEADER_SECONDS, self.force_close)

    def force_close(self) -> None:
        """What is in the middle of an answer must not end as if it were whole, not even when the service stops."""
        if self._request_in_progress:
            reset(self.transport)
        super().force_close()

    def pause_writing(self) -> None:
        """The client does not read; it may do so for a while."""
        super().pause_writing()
        if self.transport is not None:
            self._stall_timer = self._loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What could not be parsed is refused without quoting it, neither to the client nor to the log."""
        if request.writer.output_size > 0:
            raise ConnectionResetError
        if status == 500 and exc is not None:
            log.error("unexpected exception", **describe(exc))
        response = _refusal(status, exc).response(f"/requests/{os.urandom(16).hex()}")
        response.force_close()
        return response


def _refusal(status: int, error: BaseException | None) -> Problem:
    if isinstance(error, http_exceptions.LineTooLong):
        return RequestHeadersTooLarge()
    return MalformedRequest() if status == 400 else InternalError()


def reset(transport: asyncio.Transport | None) -> None:
    """Break a connection off, so that what was sent so far cannot be taken for the whole, not even by HTTP/1.0."""
    if transport is not None and not transport.is_closing():
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class Gateway(web.Server):
    """A server whose connections are ours."""

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class GatewayRunner(web.AppRunner):
    """Starts an application behind a Gateway."""

    async def _make_server(self) -> web.Server:
        served = await super()._make_server()
        return Gateway(
            served.request_handler,
            request_factory=served.request_factory,
            handler_cancellation=served.handler_cancellation,
            loop=asyncio.get_running_loop(),
            **served._kwargs,
        )


def check_parser() -> None:
    """Refuse to serve with the parser written in Python, in which requests can be smuggled."""
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise RuntimeError("aiohttp runs without its C parser; unset AIOHTTP_NO_EXTENSIONS and install a wheel")
