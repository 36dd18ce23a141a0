"""The spans of what is said and heard: beneath the span of whoever caused the event, on either side of the broker."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chassis import trace
from chassis.messages import Envelope


def published(record: trace.Record | None, rows: Sequence[Any], begun: int) -> None:
    """Rows of the outbox that the broker has confirmed; `begun` is nanoseconds since the epoch."""
    if record is None:
        return
    for row in rows:
        ours, what = trace.beneath(row["traceparent"]), _about(row["id"])
        record(f"publish {row['type']}", "PRODUCER", ours, row["traceparent"], begun, what)


def heard(record: trace.Record | None, queue: str, envelopes: Sequence[Envelope], begun: int) -> None:
    """A batch that was recorded together: a span for each event."""
    if record is None:
        return
    for one in envelopes:
        ours, what = trace.beneath(one.traceparent), _about(one.id, queue)
        record(f"hear {one.type}", "CONSUMER", ours, one.traceparent, begun, what)


@contextmanager
def hearing(record: trace.Record | None, queue: str, envelope: Envelope) -> Iterator[None]:
    """Continue the event's trace while its handler runs."""
    ours = trace.use(envelope.traceparent)
    if record is None:
        yield
        return
    begun, failed = time.time_ns(), True
    try:
        yield
        failed = False
    finally:
        what = _about(envelope.id, queue)
        record(f"hear {envelope.type}", "CONSUMER", ours, envelope.traceparent, begun, what, failed=failed)


def _about(event_id: object, queue: str | None = None) -> dict[str, str]:
    about = {"messaging.system": "rabbitmq", "messaging.message.id": str(event_id)}
    return about | {"messaging.destination.name": queue} if queue else about
