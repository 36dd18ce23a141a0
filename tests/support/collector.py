"""A collector of OpenTelemetry spans: a small real HTTP server that takes OTLP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """A span as it arrived; ids in hexadecimal."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """What arrived so far."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    def of(self, trace_id: str) -> list[Seen]:
        """The spans of one trace."""
        return [one for one in self.spans if one.trace_id == trace_id]

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        for group in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            resource = {one.key: one.value.string_value for one in group.resource.attributes}
            for span in (span for scope in group.scope_spans for span in scope.spans):
                told = {one.key: one.value.string_value for one in span.attributes}
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                self.spans.append(Seen(resource["service.name"], span.name, *ids, told))
        return web.Response(content_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    yield collector
    await runner.cleanup()
