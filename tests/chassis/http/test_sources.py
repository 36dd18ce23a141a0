"""A front end is believed about where a request came from; nobody else is, and a client's own claim never counts."""

from ipaddress import IPv4Network

import aiohttp
import pytest
from aiohttp import web

from chassis.http import PUBLIC, Routes, source_of
from chassis.http.sources import Network
from chassis.sql import Database
from tests.chassis.http import sample

LOOPBACK, FRONT = IPv4Network("127.0.0.0/8"), IPv4Network("10.1.0.0/16")
routes = Routes("sources")


@routes.get("/source", needs=PUBLIC)
async def show_source(request: web.Request) -> str:
    """Where this request comes from."""
    return source_of(request)


@pytest.mark.parametrize(
    ("trusted", "said", "source"),
    [
        ((LOOPBACK,), [], "127.0.0.1"),
        ((LOOPBACK,), ["203.0.113.7"], "203.0.113.7"),
        ((LOOPBACK,), ["2001:db8::7"], "2001:db8::7"),
        ((LOOPBACK,), ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ((LOOPBACK,), ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        ((LOOPBACK, FRONT), ["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        ((LOOPBACK, FRONT), ["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        ((LOOPBACK, FRONT), ["10.1.2.3"], "10.1.2.3"),
        ((LOOPBACK,), ["203.0.113.7, nonsense"], "127.0.0.1"),
        ((LOOPBACK, FRONT), ["nonsense, 10.1.2.3"], "10.1.2.3"),
        ((FRONT,), ["203.0.113.7"], "127.0.0.1"),
        ((), ["203.0.113.7"], "127.0.0.1"),
    ],
)
async def test_only_trusted_front_ends_say_where_a_request_comes_from(
    database: Database, trusted: tuple[Network, ...], said: list[str], source: str
) -> None:
    headers = [("X-Forwarded-For", one) for one in said]
    async with (
        sample.running(database, routes, trusted_proxies=trusted) as gateway,
        aiohttp.ClientSession() as client,
        client.get(f"{gateway.url}/source", headers=headers) as answer,
    ):
        assert await answer.json() == source
