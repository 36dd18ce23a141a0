"""What is counted of all requests: how many, how long, how many at once; by route template, so that series stay few."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, Histogram

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """One histogram (its count is the number of requests) and one gauge."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        said = "Seconds until a request was answered."
        self._seconds = Histogram("http_request_seconds", said, labels, registry=registry, buckets=_BOUNDS)
        self._known: dict[tuple[str, str, int], Histogram] = {}
        self.in_flight = 0
        gauge = Gauge("http_requests_in_flight", "Requests being answered.", registry=registry)
        gauge.set_function(lambda: self.in_flight)

    def count(self, request: web.Request, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (request.method, template(request), status)
        histogram = self._known.get(key)
        if histogram is None:
            histogram = self._known[key] = self._seconds.labels(*key)
        histogram.observe(seconds)


def template(request: web.Request) -> str:
    """The route's path as declared, never the path as sent."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"
