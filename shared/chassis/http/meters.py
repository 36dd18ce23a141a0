"""What is counted of all requests: how many, how long, how many at once; by route template, so that series stay few."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Key = tuple[str, str, int]


class _Tally:
    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BOUNDS) + 1)
        self.seconds = 0.0


class Meters(Collector):
    """Plain numbers while requests are served; made into metrics when somebody asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_flight = 0
        self._tallies: dict[Key, _Tally] = {}
        registry.register(self)

    def count(self, request: web.Request, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (request.method, template(request), status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        tally.buckets[bisect_left(_BOUNDS, seconds)] += 1
        tally.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        labels = ("method", "route", "status")
        requests = CounterMetricFamily("http_requests", "Requests answered.", labels=labels)
        seconds = HistogramMetricFamily("http_request_seconds", "Seconds to answer.", labels=labels)
        for (method, route, status), tally in self._tallies.items():
            values = (method, route, str(status))
            up_to = list(accumulate(tally.buckets))
            bounds = [*(str(bound) for bound in _BOUNDS), "+Inf"]
            requests.add_metric(values, up_to[-1])
            seconds.add_metric(values, list(zip(bounds, up_to, strict=True)), tally.seconds)
        yield requests
        yield seconds
        yield GaugeMetricFamily("http_requests_in_flight", "Requests being answered.", value=self.in_flight)


def template(request: web.Request) -> str:
    """The route's path as declared, never the path as sent."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"
