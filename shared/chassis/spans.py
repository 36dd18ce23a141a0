"""Sends spans to an OpenTelemetry collector (OTLP over HTTP); loaded only where wanted, for its packages are extra."""

import time
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis import trace

SEND_SECONDS = 2.0  # also the longest that a stopping service waits for the collector

_SCOPE = InstrumentationScope("chassis")


class Spans:
    """Collects finished spans and sends them from a thread of its own; a collector that is away costs spans only."""

    def __init__(self, url: str, service: str, member: str) -> None:
        self._resource = Resource.create({"service.name": service, "service.instance.id": member})
        self._processor = BatchSpanProcessor(OTLPSpanExporter(url, timeout=SEND_SECONDS), schedule_delay_millis=1000)

    def record(
        self,
        name: str,
        kind: trace.Kind,
        ours: str,
        parent: str | None,
        begun: int,
        attributes: Mapping[str, str | int],
        failed: bool = False,
    ) -> None:
        """A span that ends now. `ours` and `parent` are traceparents, `begun` is nanoseconds since the epoch."""
        self._processor.on_end(
            ReadableSpan(
                name,
                context=_context(ours, remote=False),
                parent=_context(parent, remote=True) if parent is not None and trace.same(parent, ours) else None,
                resource=self._resource,
                attributes=attributes,
                kind=SpanKind[kind],
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=begun,
                end_time=time.time_ns(),
                instrumentation_scope=_SCOPE,
            )
        )

    def close(self) -> None:
        """Send what is left."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


def _context(traceparent: str, remote: bool) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), remote, TraceFlags(int(flags, 16)))
