"""From PostgreSQL's COPY into the response: read ahead a little, hold little, break rather than end short."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from audit.rules import parts
from audit.rules.files import Writer
from audit.rules.parts import Part
from audit.store import downloads, searches
from chassis.http import Busy
from chassis.sql import Database

MOST_AT_ONCE = 4
TURN_SECONDS = 5.0
AHEAD_BYTES = 256 * 1024
PIECES = 8
CONNECTION_SECONDS = 30.0
PART_SECONDS = 1.0


class Broken(Exception):
    """The file would not be what was promised; the transfer is broken off (ruling H7)."""


class Exports:
    """Few downloads at a time: each may keep a connection of the pool busy."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. Raises Busy after 5 s."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            yield
        finally:
            self._turns.release()


async def stream(
    database: Database,
    search: Any,
    names: Mapping[str, str],
    outcomes: Mapping[str, str],
    write: Callable[[bytes], Awaitable[None]],
) -> str:
    """Write the whole file of a search; answers its SHA-256 (hex). Raises Broken when records are missing."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
    gone = asyncio.Event()
    reading = asyncio.create_task(_read(database, search, names, outcomes, pieces, gone))
    writer, digest = Writer(search["encoding"]), hashlib.sha256()
    try:
        piece: bytes | None = writer.head(search["view"], search["form"])
        while piece is not None:
            digest.update(piece)
            await write(piece)
            taken = await _next(pieces, reading)
            piece = None if taken is None else writer.write(taken)
        if await reading != search["records"]:
            raise Broken
    finally:
        gone.set()
        await _finish(reading, pieces)
    return digest.hexdigest()


async def _finish(reading: asyncio.Task[int], pieces: asyncio.Queue[bytes | None]) -> None:
    """Let the reader end its part into nothing (moments, and the connection stays good), then end it for certain."""
    until = asyncio.get_running_loop().time() + PART_SECONDS
    while not reading.done() and asyncio.get_running_loop().time() < until:
        while not pieces.empty():
            pieces.get_nowait()
        await asyncio.wait({reading}, timeout=0.02)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def _next(pieces: asyncio.Queue[bytes | None], reading: asyncio.Task[int]) -> bytes | None:
    """The next piece; None at the end. Raises what the reader raised."""
    waiting = asyncio.create_task(pieces.get())
    try:
        await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and reading.exception() is not None:
            await reading
        return await waiting
    finally:
        waiting.cancel()


async def _read(
    database: Database,
    search: Any,
    names: Mapping[str, str],
    outcomes: Mapping[str, str],
    pieces: asyncio.Queue[bytes | None],
    gone: asyncio.Event,
) -> int:
    """Copy part by part into `pieces`; between two parts the connection goes back to the pool."""
    held = bytearray()
    records = 0

    async def take(data: bytes) -> None:
        if gone.is_set():
            return
        held.extend(data)
        if len(held) >= AHEAD_BYTES:
            await pieces.put(bytes(held))
            held.clear()

    for part in await _parts(database, search):
        if gone.is_set():
            return records
        async with database.acquire(CONNECTION_SECONDS) as connection:
            records += await downloads.copy(connection, search, part, names, outcomes, take)
        if held:
            await pieces.put(bytes(held))
            held.clear()
    await pieces.put(None)
    return records


async def _parts(database: Database, search: Any) -> list[Part]:
    counted = [(row["user_id"], row["records"]) for row in await searches.users_with_records(database, search)]
    if search["form"] == "by_time":
        days = await searches.days_with_records(database, search, search["target_user_id"])
        return parts.by_day([user for user, _ in counted], [(row["day"], row["records"]) for row in days])
    found = []
    sizes = dict(counted)
    for group in parts.groups(counted):
        if sizes[group[0]] <= parts.PART_RECORDS:
            found.append(Part(tuple(group), search["first_day"], search["last_day"]))
        else:
            days = await searches.days_with_records(database, search, group[0])
            found += parts.by_day(group, [(row["day"], row["records"]) for row in days])
    return found
