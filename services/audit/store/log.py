"""Adding rows to the history: numbered, chained and counted in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from operator import add
from typing import Any

from audit.rules import chain
from audit.rules.lines import COLUMNS
from audit.rules.rows import Row
from chassis.sql import Reader, Tx

Seal = Callable[[bytes], bytes]
"""Of a block's head, made with a key that the database does not have."""

EVERYBODY = ""
"""In the table of totals: all users of a policyholder together."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: rows that are new, and rows whose id was recorded before with another content."""

    new: Sequence[Row]
    contradicted: Sequence[Row]


async def record(tx: Tx, rows: Iterable[Row], seal: Seal) -> Recorded:
    """Add the rows that are not recorded yet, in a sealed block. All writers take turns from here to their commit."""
    fresh, contradicted = _once(rows)
    if not fresh:
        return Recorded((), contradicted)
    end = await tx.fetchrow("select rows, blocks, head, clock_timestamp() as now from log for update")
    known = {
        row["id"]: row["leaf"]
        for row in await tx.fetch(
            "select id::text, leaf from entries where id = any(string_to_array($1, ' ')::uuid[])", " ".join(fresh)
        )
    }
    contradicted += [row for row in fresh.values() if row.id in known and known[row.id] != row.leaf]
    new = [row for row in fresh.values() if row.id not in known]
    if new:
        await _add(tx, end, new, seal)
    return Recorded(new, contradicted)


def _once(rows: Iterable[Row]) -> tuple[dict[str, Row], list[Row]]:
    fresh: dict[str, Row] = {}
    contradicted = []
    for row in rows:
        if fresh.setdefault(row.id, row).leaf != row.leaf:
            contradicted.append(row)
    return fresh, contradicted


async def _add(tx: Tx, end: Any, rows: Sequence[Row], seal: Seal) -> None:
    first, block = end["rows"] + 1, end["blocks"] + 1
    lines = [b"%d\t%b\n" % (number, row.text) for number, row in enumerate(rows, first)]
    await tx.connection.copy_to_table(
        "history", source=BytesIO(b"".join(lines)), columns=("number", *COLUMNS), format="text", timeout=tx.seconds
    )
    leaves = [row.leaf for row in rows]
    root = chain.root(leaves)
    head = chain.head(end["head"], block, first, len(rows), end["now"], root)
    await tx.execute(
        f"""
        with blocks as (
            insert into blocks (block, first, rows, recorded_at, root, head, seal) values ($1, $2, $3, $4, $5, $6, $10)
        ), entries as (
            insert into entries (id, number, leaf)
            select id, $2 + place - 1, leaf
              from unnest(string_to_array($8, ' ')::uuid[], $9::bytea[]) with ordinality as new (id, leaf, place)
        ), days as ({COUNT})
        update log set rows = $2 + $3 - 1, blocks = $1, head = $6
        """,
        block, first, len(rows), end["now"], root, head, _totals(rows), " ".join([row.id for row in rows]), leaves,
        seal(head),
    )  # fmt: skip


COUNT = """
insert into days as known
select * from json_to_recordset($7) as fresh (
           policyholder_code text, user_id text, day date, records bigint, bytes bigint, letters bigint,
           trail_records bigint, trail_bytes bigint, trail_letters bigint)
    on conflict (policyholder_code, user_id, day) do update
   set records = known.records + excluded.records,
       bytes = known.bytes + excluded.bytes,
       letters = known.letters + excluded.letters,
       trail_records = known.trail_records + excluded.trail_records,
       trail_bytes = known.trail_bytes + excluded.trail_bytes,
       trail_letters = known.trail_letters + excluded.trail_letters
"""
_COUNTED = (
    "policyholder_code", "user_id", "day",
    "records", "bytes", "letters", "trail_records", "trail_bytes", "trail_letters",
)  # fmt: skip


def _totals(rows: Sequence[Row]) -> Sequence[Mapping[str, object]]:
    """What is added to `days`, each user's own and everybody's; sorted, to touch pages in one order."""
    totals: dict[tuple[str, str, date], list[int]] = {}
    for row in rows:
        total = totals.setdefault((row.policyholder_code, row.user_id, row.day), [0] * 6)
        at = 0 if row.in_catalogue else 3
        total[at] += 1
        total[at + 1] += row.size
        total[at + 2] += row.letters
    for (code, _, day), own in list(totals.items()):
        everybody = totals.setdefault((code, EVERYBODY, day), [0] * 6)
        everybody[:] = map(add, everybody, own)
    return [dict(zip(_COUNTED, (*key, *totals[key]), strict=True)) for key in sorted(totals)]


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
