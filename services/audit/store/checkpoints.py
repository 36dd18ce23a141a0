"""Copies of the signed checkpoints, for whoever continues and for auditors who ask."""

from datetime import datetime
from typing import Any

from chassis.sql import Database, Reader


async def newest(reader: Reader) -> str | None:
    """The line of the newest one, or None."""
    found: str | None = await reader.fetchval("select statement from checkpoints order by rows desc limit 1")
    return found


async def keep(database: Database, rows: int, made_at: datetime, statement: str) -> None:
    """Keep a copy."""
    await database.execute(
        "insert into checkpoints (rows, made_at, statement) values ($1, $2, $3) on conflict do nothing",
        rows, made_at, statement,
    )  # fmt: skip


async def blocks_between(reader: Reader, after: int, last: int) -> list[Any]:
    """The blocks beyond `after` up to `last` with their heads and seals."""
    return await reader.fetch(
        "select block, head, seal from blocks where block > $1 and block <= $2 order by block", after, last
    )


async def after(reader: Reader, rows: int, most: int) -> list[Any]:
    """The lines of those made beyond `rows`, in order."""
    return await reader.fetch("select statement from checkpoints where rows > $1 order by rows limit $2", rows, most)
