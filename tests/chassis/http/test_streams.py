"""Streams go through unread and unbuffered, and one that fails is never taken for a whole one (ruling H7)."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from chassis.sql import Database
from tests.chassis.http import sample
from tests.chassis.http.asking import WRITER, ask, connected, exchange
from tests.chassis.http.sample import Sample


async def test_a_stream_arrives_whole(http: aiohttp.ClientSession) -> None:
    async with http.get("/export?limit=100") as answer:
        assert answer.content_type == "text/csv"
        assert len((await answer.text()).splitlines()) == 10_000


async def test_a_failure_in_the_middle_breaks_a_chunked_answer(http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.get("/export?limit=100&word=break") as answer:
            assert answer.status == 200
            await answer.read()


@pytest.mark.parametrize("word", [b"break", b"cancel", b"change"])
async def test_a_failure_in_the_middle_resets_even_a_connection_whose_end_is_the_end(
    gateway: Sample, word: bytes
) -> None:
    async with connected(gateway.serving.port) as (reader, writer):
        writer.write(b"GET /export?limit=100&word=%s HTTP/1.0\r\n\r\n" % word)
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_stream_that_is_stopped_in_the_middle_is_reset_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.http.server.DRAIN_SECONDS", 0.2)
    async with sample.running(database) as service, connected(service.serving.port) as (reader, writer):
        writer.write(b"GET /export?limit=100&word=wait HTTP/1.0\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.0 200 OK\r\n"
        stopping = asyncio.create_task(service.serving.stop())
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await stopping


async def test_a_large_body_is_taken_piece_by_piece_within_its_own_limit(http: aiohttp.ClientSession) -> None:
    headers = {**WRITER, "Content-Type": "application/pdf"}
    for size, status in ((900_000, 200), (1_000_001, 413)):
        answered, told = await ask(http, "POST", "/uploads", data=b"x" * size, headers=headers)
        assert answered == status
        assert status == 413 or told == {"number": size, "name": "application/pdf"}


async def test_a_large_body_that_does_not_say_its_size_is_cut_at_the_limit(http: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000
            await asyncio.sleep(0.01)

    assert (await ask(http, "POST", "/uploads", data=pieces(), headers=WRITER))[0] == 413


async def test_an_upload_that_stops_is_refused(gateway: Sample) -> None:
    head = b"POST /uploads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer writer\r\nContent-Length: 100\r\n\r\n"
    assert b" 408 " in await exchange(gateway.serving.port, head + b"x", within=8)


async def test_a_client_that_stops_reading_does_not_stop_others(gateway: Sample, http: aiohttp.ClientSession) -> None:
    async with connected(gateway.serving.port) as (_, writer):
        writer.write(b"GET /export?limit=100 HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
        await asyncio.sleep(0.2)
        async with http.get("/live") as answer:
            assert answer.status == 200
