"""Adding rows to the history: numbered, chained and counted in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from audit.rules import chain
from audit.rules.lines import COLUMNS
from audit.rules.rows import Row
from chassis.sql import Reader, Tx

EVERYBODY = ""
"""In the table of totals: all users of a policyholder together."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: rows that are new, and rows whose id was recorded before with another content."""

    new: Sequence[Row]
    contradicted: Sequence[Row]


async def record(tx: Tx, rows: Iterable[Row]) -> Recorded:
    """Add the rows that are not recorded yet. All writers take turns from here to their commit."""
    fresh, contradicted = _once(rows)
    if not fresh:
        return Recorded((), contradicted)
    end = await tx.fetchrow("select rows, blocks, head, clock_timestamp() as now from log for update")
    known = {
        row["id"]: row["leaf"]
        for row in await tx.fetch("select id, leaf from entries where id = any($1::uuid[])", list(fresh))
    }
    contradicted += [row for row in fresh.values() if row.id in known and known[row.id] != row.leaf]
    new = [row for row in fresh.values() if row.id not in known]
    if new:
        await _add(tx, end, new)
    return Recorded(new, contradicted)


def _once(rows: Iterable[Row]) -> tuple[dict[UUID, Row], list[Row]]:
    fresh: dict[UUID, Row] = {}
    contradicted = []
    for row in rows:
        if fresh.setdefault(row.id, row).leaf != row.leaf:
            contradicted.append(row)
    return fresh, contradicted


async def _add(tx: Tx, end: Any, rows: Sequence[Row]) -> None:
    first, block = end["rows"] + 1, end["blocks"] + 1
    numbers = range(first, first + len(rows))
    await tx.connection.copy_to_table(
        "history",
        source=BytesIO(b"".join(b"%d\t%b\n" % pair for pair in zip(numbers, (row.text for row in rows), strict=True))),
        columns=("number", *COLUMNS),
        format="text",
    )
    root = chain.root(row.leaf for row in rows)
    head = chain.head(end["head"], block, first, len(rows), end["now"], root)
    await tx.execute(
        """
        with ids as (
            insert into entries (id, number, leaf)
            select id, $1 + place - 1, leaf
              from unnest($2::uuid[], $3::bytea[]) with ordinality as new (id, leaf, place)
        ), blocks as (
            insert into blocks (block, first, rows, recorded_at, root, head) values ($4, $1, $5, $6, $7, $8)
        )
        update log set rows = $1 + $5 - 1, blocks = $4, head = $8
        """,
        first, [row.id for row in rows], [row.leaf for row in rows], block, len(rows), end["now"], root, head,
    )  # fmt: skip
    await _count(tx, rows)


async def _count(tx: Tx, rows: Sequence[Row]) -> None:
    """Add to the totals that answer a search, the user's own and everybody's; sorted, to touch pages in one order."""
    totals: dict[tuple[str, str, date], list[int]] = {}
    for row in rows:
        at = 0 if row.in_catalogue else 3
        for user_id in (row.user_id, EVERYBODY):
            total = totals.setdefault((row.policyholder_code, user_id, row.day), [0, 0, 0, 0, 0, 0])
            total[at] += 1
            total[at + 1] += row.size
            total[at + 2] += row.letters
    keys = sorted(totals)
    await tx.execute(
        """
        insert into days as known
        select * from unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bigint[], $8::bigint[], $9::bigint[])
            on conflict (policyholder_code, user_id, day) do update
           set records = known.records + excluded.records,
               bytes = known.bytes + excluded.bytes,
               letters = known.letters + excluded.letters,
               trail_records = known.trail_records + excluded.trail_records,
               trail_bytes = known.trail_bytes + excluded.trail_bytes,
               trail_letters = known.trail_letters + excluded.trail_letters
        """,
        *([key[place] for key in keys] for place in range(3)),
        *([totals[key][place] for key in keys] for place in range(6)),
    )


async def make_months(reader: Reader, first: date, last: date) -> int:
    """Make the partitions of these months; answers how many were missing."""
    return int(await reader.fetchval("select make_months($1, $2)", first, last))


async def end(reader: Reader) -> Any:
    """The end of the log: rows, blocks, head."""
    return await reader.fetchrow("select rows, blocks, head from log")


async def head_at(reader: Reader, up_to: int) -> bytes:
    """The chain's head when the log ended with row `up_to` (a search counts whole blocks only)."""
    found: bytes | None = await reader.fetchval(
        "select head from blocks where first <= $1 order by first desc limit 1", up_to
    )
    return found if found is not None else chain.EMPTY
