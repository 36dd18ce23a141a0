"""What operators did: only ever added to."""

from typing import Any

from chassis.sql import Reader, Tx


async def record(tx: Tx, operator: str, what: str, about: str) -> None:
    """Who did what to which mail, letter or address."""
    await tx.execute("insert into operations (operator, what, about) values ($1, $2, $3)", operator, what, about)


async def recorded(reader: Reader, about: str) -> list[Any]:
    """What operators did to one thing, in order."""
    return await reader.fetch("select operator, what, at from operations where about = $1 order by place", about)
