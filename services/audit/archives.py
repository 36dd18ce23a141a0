"""Months that leave the database for files, while everybody goes on working."""

import asyncio
import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audit.proof.sources import parse
from audit.store import verification
from chassis.sql import Database
from contracts.actions import Operator
from contracts.audit import OperatorActed

TRIES = 5
PAUSE_SECONDS = 5.0


class Postponed(Exception):
    """The month stays where it is, and its file is gone again; try later."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A month, its rows, the SHA-256 of their text, and where they are now."""

    month: str
    rows: int
    sha256: str
    file: Path


async def archive_month(database: Database, name: str, folder: Path, by: Operator) -> Archived:
    """Write a month into a new file, read it back, and only then take the month out of the database.

    Raises Postponed when a late event came meanwhile, or when the history is in use all the time. No file stays that is
    not whole: one that cannot be read would end every verification to which it is given.
    """
    with _new_file(folder, name) as file:
        path = Path(file.name)
        try:
            rows, last, digest = await _copy(database, name, file)
            if rows != sum(1 for piece in _read(path) for _ in parse(piece)):
                raise OSError(f"{path} does not hold what was written")
        except BaseException:
            path.unlink()
            raise
    try:
        await _drop(database, name, last, OperatorActed(operator=by, command="archive", about=f"{name}: {digest}"))
    except Postponed:
        path.unlink()
        raise
    return Archived(name, rows, digest, path)


def _new_file(folder: Path, name: str) -> BinaryIO:
    """A late event makes its month anew, so the same month may be archived again, into another file."""
    number = 1
    while True:
        try:
            return (folder / f"{name}{f'.{number}' if number > 1 else ''}.copy.gz").open("xb")
        except FileExistsError:
            number += 1


async def _copy(database: Database, name: str, file: BinaryIO) -> tuple[int, int, str]:
    """How many rows there are, the number of the last one, and the digest of their text."""
    rows, last, digest = 0, 0, hashlib.sha256()
    async with database.acquire() as connection:
        await connection.execute(verification.SESSION)
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            async for reached, piece in verification.month_lines(connection, name):
                packed.write(piece)
                digest.update(piece)
                rows, last = rows + piece.count(b"\n"), reached
    file.flush()
    os.fsync(file.fileno())
    return rows, last, digest.hexdigest()


async def _drop(database: Database, name: str, last: int, said: OperatorActed) -> None:
    """Recording and reading wait for this no longer than the lock may take, then it waits instead."""
    for _ in range(TRIES):
        try:
            async with database.transaction() as tx:
                if not await verification.drop_month(tx.connection, name, last):
                    raise Postponed(f"{name}: a late event came while it was copied. Start again.")
                tx.emit(said)
            return
        except verification.LOCKED:
            await asyncio.sleep(PAUSE_SECONDS)
    raise Postponed(f"{name}: a download is reading the history. Try again later.")


def _read(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        yield from file
