"""Bytes that are not HTTP as it should be: no crash, no hang over ten seconds, bounded memory (B-2)."""

import asyncio
import zlib

import psutil
import pytest

from chassis.http import bodies, connections
from tests.chassis.http.asking import connected, exchange, statuses
from tests.chassis.http.sample import Sample

POST = b"POST /attempts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
BODY = b'{"word": "raw"}'
pytestmark = pytest.mark.requirement("B-2")


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 15\r\nContent-Length: 16\r\n\r\n" + BODY,
        POST + b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: +15\r\n\r\n" + BODY,
        POST + b"Content-Length: 1_5\r\n\r\n" + BODY,
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET /li\0ve HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
        b"GET /live HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /live\r\n\r\n",
        b"FOO /live HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 1000,
        b"\r\n" * 50_000 + b"x",
    ],
)  # fmt: skip
async def test_malformed_requests_are_refused_and_the_connection_closed(gateway: Sample, sent: bytes) -> None:
    answer = await exchange(gateway.serving.port, sent)
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    if answer:
        assert b"application/problem+json" in answer
        assert b"nosniff" in answer


@pytest.mark.parametrize(
    "headers",
    [
        b"X: " + b"a" * 9000 + b"\r\n",
        b"X" * 9000 + b": a\r\n",
        b"".join(b"X%d: a\r\n" % number for number in range(200)),
        b"X: " + b"a" * 10_000_000 + b"\r\n",
    ],
)
async def test_huge_headers_are_refused(gateway: Sample, headers: bytes) -> None:
    answer = await exchange(gateway.serving.port, b"GET /live HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n")
    assert set(statuses(answer)) <= {400, 431}


async def test_a_huge_request_line_is_refused(gateway: Sample) -> None:
    answer = await exchange(gateway.serving.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert set(statuses(answer)) <= {400, 431}


async def test_pipelined_requests_are_answered_in_order(gateway: Sample) -> None:
    one = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
    two = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = await exchange(gateway.serving.port, (one + two) * 100 + last)
    assert statuses(answer) == [200, 404] * 100 + [200]


async def test_what_follows_a_refused_body_is_never_taken_for_a_request(gateway: Sample) -> None:
    smuggled = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
    sent = POST + b"Content-Length: 70000\r\n\r\n" + smuggled
    answer = await exchange(gateway.serving.port, sent)
    assert statuses(answer) == [413]


async def test_a_compressed_bomb_is_refused_unopened(gateway: Sample) -> None:
    bomb = zlib.compress(b" " * 50_000_000)
    before = psutil.Process().memory_info().rss
    for encoding in (b"deflate", b"gzip", b"br"):
        sent = POST + b"Connection: close\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(bomb))
        assert statuses(await exchange(gateway.serving.port, sent + bomb)) == [415]
    assert psutil.Process().memory_info().rss - before < 30_000_000


async def test_slow_headers_are_cut_off(gateway: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connections.HEADER_SECONDS < 10
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    drip = (b"GET /live HTTP/1.1\r\n", *(b"X%d: a\r\n" % number for number in range(60)))
    assert statuses(await exchange(gateway.serving.port, *drip, pause=0.1, within=6.0)) == []


async def test_a_slow_body_is_refused(gateway: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bodies.BODY_SECONDS < 10
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    head = POST + b"Content-Length: 15\r\n\r\n"
    answer = await exchange(gateway.serving.port, head, b'{"wo', b"rd", pause=0.2)
    assert statuses(answer) == [408]


async def test_a_client_that_leaves_in_the_middle_of_its_body_breaks_nothing(gateway: Sample) -> None:
    answer = await exchange(gateway.serving.port, POST + b"Content-Length: 15\r\n\r\n{", finish=True)
    assert set(statuses(answer)) <= {400}


async def test_the_body_is_called_for_only_when_somebody_will_read_it(gateway: Sample) -> None:
    expecting = b"Expect: 100-continue\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
    welcome = await exchange(gateway.serving.port, POST + expecting, BODY, pause=0.2)
    assert statuses(welcome) == [100, 204]
    refused = POST.replace(b"/attempts", b"/uploads") + expecting
    assert statuses(await exchange(gateway.serving.port, refused)) == [401]


async def test_unhandled_pipelined_requests_do_not_pile_up(gateway: Sample) -> None:
    before = psutil.Process().memory_info().rss
    flood = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
    async with connected(gateway.serving.port) as (_, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    writer.write(flood)
                    await writer.drain()
    assert psutil.Process().memory_info().rss - before < 60_000_000
    assert statuses(await exchange(gateway.serving.port, b"GET /live HTTP/1.0\r\n\r\n")) == [200]
