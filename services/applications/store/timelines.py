"""The time-line of an application: who took which step when (P1)."""

from typing import Any

from chassis.sql import Reader


async def steps(reader: Reader, number: str) -> list[Any]:
    """Every step, oldest first; at most the last thousand."""
    return await reader.fetch(
        """
        select step, state, version, at, user_id, user_name from (
            select id, step, state, version, at, user_id, user_name from steps
             where number = $1 order by id desc limit 1000
        ) newest order by id
        """,
        number,
    )
