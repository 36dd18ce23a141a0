"""The trace that the running request or message belongs to (W3C Trace Context), and who is told what was done in it."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
Record: TypeAlias = Callable[..., None]
"""Takes a finished span: `chassis.spans.Spans.record`."""

_KNOWN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_recorder: ContextVar[Record | None] = ContextVar("recorder", default=None)


def use(traceparent: str | None) -> str:
    """Continue the trace a caller named, or begin one when it named none that can be read; answers our own traceparent.

    The answer keeps the caller's trace id and flags and names a new span: ours, the parent of whatever we cause.
    """
    ours = beneath(traceparent)
    _current.set(ours)
    return ours


def beneath(traceparent: str | None) -> str:
    """A new span of that trace, or of a new one."""
    known = _KNOWN.fullmatch(traceparent) if traceparent else None
    chance = os.urandom(24).hex()
    trace_id, flags = known.groups() if known else (chance[:32], "01")
    return f"00-{trace_id}-{chance[32:]}-{flags}"


def same(one: str, other: str) -> bool:
    """Whether a traceparent can be read and is of the same trace as ours."""
    return _KNOWN.fullmatch(one) is not None and one[3:35] == other[3:35]


def current() -> str | None:
    """The running span, if there is one."""
    return _current.get()


def current_traceparent() -> str:
    """What to hand on with anything said now; begins a trace when there is none."""
    return _current.get() or use(None)


def current_trace_id() -> str:
    """The 32 hexadecimal digits that all logs of one story share."""
    return current_traceparent()[3:35]


def recorder() -> Record | None:
    """Who takes the spans of the service that is being started here; asked once by each part of it, None: nobody."""
    return _recorder.get()


@asynccontextmanager
async def recording(url: str | None, service: str, member: str) -> AsyncIterator[None]:
    """What is built inside sends its spans to this collector (OTLP over HTTP); without an address nobody records."""
    if url is None:
        _recorder.set(None)
        yield
        return
    try:
        from chassis.spans import Spans
    except ImportError as error:
        raise RuntimeError("TRACES_URL is set: install the packages of deploy/requirements/traces.txt") from error
    spans = Spans(url, service, member)
    _recorder.set(spans.record)
    try:
        yield
    finally:
        await asyncio.to_thread(spans.close)
