"""Requests for a new password that were answered and are yet to be looked at (L6)."""

from datetime import timedelta
from typing import Any

from chassis.sql import Reader, Tx


async def put(reader: Reader, user_id: str, email: str, source_address: str) -> None:
    """Keep a request, whatever it says."""
    await reader.execute(
        "insert into reissue_requests (user_id, email, source_address) values ($1, $2, $3)",
        user_id, email, source_address,
    )  # fmt: skip


async def take(tx: Tx, life: timedelta) -> Any:
    """The oldest request that nobody else is working on, gone with the commit; None when there is none.

    `lapsed` tells that it is older than `life`.
    """
    return await tx.fetchrow(
        """
        delete from reissue_requests where number = (
            select number from reissue_requests order by number limit 1 for update skip locked
        ) returning user_id, email, source_address, requested_at < now() - $1::interval as lapsed
        """,
        life,
    )
