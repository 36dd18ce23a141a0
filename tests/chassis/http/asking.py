"""Asking the sample gateway, in one line."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

READER = {"Authorization": "Bearer reader"}
WRITER = {"Authorization": "Bearer writer"}
FRESH = {"Authorization": "Bearer fresh"}


async def ask(http: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Status and decoded JSON (None when there is no body); checks what must be true of every problem."""
    async with http.request(method, path, **options) as answer:
        text = await answer.text()
        told = await answer.json(content_type=None) if text else None
        if answer.content_type == "application/problem+json":
            assert told["status"] == answer.status
            assert {"type", "title", "detail", "instance"} <= told.keys()
            assert re.fullmatch(r"/problems/[a-z-]+", told["type"])
        return answer.status, told


def rules(problem: Any) -> list[tuple[str, str]]:
    """The fields and rules that a problem names; each with a sentence."""
    assert all(re.search(r"[ぁ-ん]", error["message"]) for error in problem["errors"]), problem
    return [(error["field"], error["rule"]) for error in problem["errors"]]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of one's own; broken off at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def exchange(port: int, *pieces: bytes, pause: float = 0.0, within: float = 10.0, finish: bool = False) -> bytes:
    """Send bytes as they are and read until the other side closes, which it must do `within` seconds."""
    try:
        async with asyncio.timeout(within), connected(port) as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if finish:
                writer.write_eof()
            return await reader.read()
    except ConnectionError:
        return b""


def statuses(answer: bytes) -> list[int]:
    """The status of every answer in a stream of answers."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]
