"""Reading the log for verification, dumping and archiving: the same canonical text that was recorded."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from audit.rules.lines import COLUMNS

PAGE_ROWS = 20_000
PATIENCE_SECONDS = 300.0
LOCKED = asyncpg.LockNotAvailableError

SESSION = "set timezone = 'UTC'; set datestyle = 'ISO'; set client_encoding = 'UTF8'; set extra_float_digits = 1"


async def blocks(connection: Any, after: int) -> list[Any]:
    """The next blocks, together about PAGE_ROWS rows, at least one."""
    found: list[Any] = await connection.fetch(
        """
        select * from (
            select block, first, rows, recorded_at, root, head, sum(rows) over (order by block) as running
              from (select * from blocks where block > $1 order by block limit $2) next
        ) counted
         where running - rows < $2 order by block
        """,
        after, PAGE_ROWS,
    )  # fmt: skip
    return found


async def lines(connection: Any, first: int, last: int) -> bytes:
    """The rows of these numbers, in order, as COPY text: the number, then the canonical columns."""
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(bytes(piece))

    await connection.copy_from_query(
        f"select number, {', '.join(COLUMNS)} from history where number between $1 and $2 order by number, id",
        first, last, output=take, format="text",
    )  # fmt: skip
    return b"".join(pieces)


async def totals(connection: Any) -> Any:
    """What must agree: the log's end, rows outside of it, and the ids."""
    return await connection.fetchrow(
        """
        select log.rows, log.blocks, log.head,
               (select count(*) from history where number < 1 or number > log.rows) as outside,
               (select count(*) from entries) as entries
          from log
        """
    )


def days(connection: Any) -> AsyncIterator[Any]:
    """What searches count: policyholder, user ('' for all together), day, records, and records of the trail."""
    query = "select policyholder_code, user_id, day, records, trail_records from days"
    found: AsyncIterator[Any] = connection.cursor(query, prefetch=PAGE_ROWS)
    return found


async def months(connection: Any) -> list[Any]:
    """The monthly partitions, oldest first, and the first moment after each."""
    found: list[Any] = await connection.fetch(
        """
        select child.relname as name, substring(child.relname from 'history_(\\d{4}_\\d{2})') as month
          from pg_inherits join pg_class child on child.oid = inhrelid
         where inhparent = 'history'::regclass order by 1
        """
    )
    return found


async def month_lines(connection: Any, name: str) -> AsyncIterator[tuple[int, bytes]]:
    """One partition in the order of arrival, as COPY text in large pieces, each with the number it reaches."""
    first = 0
    while True:
        last = await connection.fetchval(
            f'select max(number) from (select number from "{name}" where number > $1 order by number limit $2) page',
            first, PAGE_ROWS,
        )  # fmt: skip
        if last is None:
            return
        pieces: list[bytes] = []

        async def take(piece: bytes, into: list[bytes] = pieces) -> None:
            into.append(bytes(piece))

        await connection.copy_from_query(
            f'select number, {", ".join(COLUMNS)} from "{name}" where number > $1 and number <= $2 order by number',
            first, last, output=take, format="text", timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        yield last, b"".join(pieces)
        first = last


async def drop_month(connection: Any, name: str, last: int) -> bool:
    """Take a month out of the history for good (owner's rights); False when it has rows beyond `last`.

    Raises LOCKED when others use the history for longer than a moment: whoever records would wait behind us.
    """
    await connection.execute("set local lock_timeout = '1s'")
    await connection.execute(f'lock table only history, only "{name}" in access exclusive mode')
    if await connection.fetchval(f'select exists (select from "{name}" where number > $1)', last):
        return False
    await connection.execute(f'alter table history detach partition "{name}"', timeout=PATIENCE_SECONDS)
    await connection.execute(f'drop table "{name}"', timeout=PATIENCE_SECONDS)
    return True
