"""The trace that the running request or message belongs to (W3C Trace Context), without any tracing software."""

import os
import re
from contextvars import ContextVar

_KNOWN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def use(traceparent: str | None) -> str:
    """Continue the trace a caller named, or begin one when it named none that can be read; answers our own traceparent.

    The answer keeps the caller's trace id and flags and names a new span: ours, the parent of whatever we cause.
    """
    known = _KNOWN.fullmatch(traceparent) if traceparent else None
    chance = os.urandom(24).hex()
    trace_id, flags = known.groups() if known else (chance[:32], "01")
    ours = f"00-{trace_id}-{chance[32:]}-{flags}"
    _current.set(ours)
    return ours


def current_traceparent() -> str:
    """What to hand on with anything said now; begins a trace when there is none."""
    return _current.get() or use(None)


def current_trace_id() -> str:
    """The 32 hexadecimal digits that all logs of one story share."""
    return current_traceparent()[3:35]
