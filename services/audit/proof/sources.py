"""Where the verifier reads the log from: a database with a role that may only read, or an export."""

import gzip
import heapq
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from audit.proof.counts import Counts
from audit.rules.lines import line as canonical
from audit.store import verification

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Line = tuple[int, bytes]
"""A row's number and its canonical text."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block as the source tells it, with the rows it claims."""

    block: int
    first: int
    rows: int
    recorded_at: datetime
    root: bytes
    head: bytes
    lines: Sequence[Line]


def parse(text: bytes) -> Iterator[Line]:
    """COPY text into numbered lines."""
    for line in text.split(b"\n"):
        if line:
            number, _, rest = line.partition(b"\t")
            yield int(number), rest


async def from_database(dsn: str, archives: Sequence[Path], notes: list[str]) -> AsyncIterator[Block]:
    """One snapshot of a database; rows of archived months come from their files."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(verification.SESSION)
        archived = _Archived(archives)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            totals = await verification.totals(connection)
            block, rows, counts = 0, 0, Counts()
            while page := await verification.blocks(connection, block):
                first, last = page[0]["first"], page[-1]["first"] + page[-1]["rows"] - 1
                there = _merged(parse(await verification.lines(connection, first, last)), archived.take(first, last))
                counts.record(there)
                for found in cut(page, there):
                    rows += found.rows
                    yield found
                block = page[-1]["block"]
            async for one in verification.days(connection):
                counts.counted(canonical((one["policyholder_code"],)), canonical((one["user_id"],)), *one[2:])
        notes += [f"policyholder {whose}: searches count other records than the log has" for whose in counts.wrong()]
        _compare(totals, block, rows, notes)
    finally:
        await connection.close()


def _merged(lines: Iterable[Line], archived: Sequence[Line]) -> list[Line]:
    """Once each: a month whose archiving was cut short is in the database, or in a second file, too."""
    return sorted({*lines, *archived}) if archived else list(lines)


def cut(page: Sequence[asyncpg.Record], lines: Sequence[Line]) -> Iterator[Block]:
    """Each block with its own rows; what lies between two blocks is given to the one before."""
    place = 0
    for number, one in enumerate(page):
        end = place
        last = one["first"] + one["rows"] - 1 if number + 1 < len(page) else float("inf")
        while end < len(lines) and lines[end][0] <= last:
            end += 1
        yield Block(
            one["block"], one["first"], one["rows"], one["recorded_at"], one["root"], one["head"], lines[place:end]
        )
        place = end


def _compare(totals: asyncpg.Record, block: int, rows: int, notes: list[str]) -> None:
    if (totals["rows"], totals["blocks"]) != (rows, block):
        notes.append(f"the log says {totals['rows']} rows in {totals['blocks']} blocks; there are {rows} in {block}")
    if totals["outside"]:
        notes.append(f"{totals['outside']} rows lie outside of the log's numbers")
    if totals["entries"] != totals["rows"]:
        notes.append(f"{totals['entries']} ids are known for {totals['rows']} rows")


class _Archived:
    """The rows of archived months, handed out in the order of numbers; the files are read as they are needed."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._lines = heapq.merge(*map(_archive_lines, files))
        self._next = next(self._lines, None)

    def take(self, first: int, last: int) -> list[Line]:
        """Those of these numbers; earlier ones are skipped."""
        found = []
        while self._next is not None and self._next[0] <= last:
            if self._next[0] >= first:
                found.append(self._next)
            self._next = next(self._lines, None)
        return found


def _archive_lines(path: Path) -> Iterator[Line]:
    with gzip.open(path, "rb") as file:
        for line in file:
            yield from parse(line)


def export_block(block: Block) -> bytes:
    """A block of an export: its own line, then its rows."""
    microseconds = (block.recorded_at - _EPOCH) // timedelta(microseconds=1)
    head = f"B\t{block.block}\t{block.first}\t{block.rows}\t{microseconds}\t{block.root.hex()}\t{block.head.hex()}\n"
    return head.encode() + b"".join([b"%d\t%b\n" % line for line in block.lines])


async def from_export(path: Path, archives: Sequence[Path], notes: list[str]) -> AsyncIterator[Block]:
    """A file written by `python -m audit dump`; rows of months that were archived before it come from their files."""
    described: list[bytes] | None = None
    lines: list[Line] = []
    archived = _Archived(archives)
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"B\t"):
                if described is not None:
                    yield _described(described, lines, archived)
                described, lines = line.rstrip(b"\n").split(b"\t"), []
            else:
                lines += parse(line)
    if described is None:
        notes.append("the export is empty")
    else:
        yield _described(described, lines, archived)


def _described(parts: Sequence[bytes], lines: Sequence[Line], archived: _Archived) -> Block:
    _, block, first, rows, microseconds, root, head = (part.decode() for part in parts)
    recorded_at = _EPOCH + timedelta(microseconds=int(microseconds))
    there = _merged(lines, archived.take(int(first), int(first) + int(rows) - 1))
    return Block(int(block), int(first), int(rows), recorded_at, bytes.fromhex(root), bytes.fromhex(head), there)
