"""Requests that carried an Idempotency-Key: what was asked, and what was answered."""

from datetime import timedelta
from typing import Any

from chassis.sql import Database, Reader, Tx

KEPT = timedelta(days=7)


async def claim(tx: Tx, user_id: str, key: str, fingerprint: bytes, most: int) -> bool:
    """Take the key for this request; False when it was used before, and when `most` of the user's are remembered.

    Waits for a request that is just using it. As many more get in as ask at the same moment.
    """
    return bool(
        await tx.execute(
            """
            insert into keyed_requests (user_id, key, fingerprint)
            select $1, $2, $3 where (select count(*) from keyed_requests where user_id = $1) < $4
            on conflict do nothing
            """,
            user_id, key, fingerprint, most,
        )
    )  # fmt: skip


async def keep(tx: Tx, user_id: str, key: str, answer: dict[str, Any]) -> None:
    """Remember the answer, to be given again."""
    await tx.execute("update keyed_requests set answer = $3 where user_id = $1 and key = $2", user_id, key, answer)


async def earlier(reader: Reader, user_id: str, key: str) -> Any:
    """The fingerprint and the answer of the request that used the key first."""
    return await reader.fetchrow(
        "select fingerprint, answer from keyed_requests where user_id = $1 and key = $2", user_id, key
    )


async def forget(database: Database) -> None:
    """Keys older than a week may be used again."""
    await database.execute("delete from keyed_requests where at < now() - $1::interval", KEPT)
