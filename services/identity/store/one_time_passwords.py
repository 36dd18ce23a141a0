"""One-time passwords: one per session, two tries, counted before they are compared (O1)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.sql import Tx

TRIES = 2


async def issue(tx: Tx, session_id: str, issue_id: UUID, verifier: bytes, life: timedelta) -> datetime:
    """From now on this one alone opens in this session; answers when it lapses."""
    expires_at = await tx.fetchval(
        """
        insert into one_time_passwords (session_id, issue, verifier, issued_at, expires_at)
        values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4::interval)
        on conflict (session_id) do update set issue = excluded.issue, verifier = excluded.verifier, tries = 0,
            issued_at = excluded.issued_at, expires_at = excluded.expires_at, used_at = null
        returning expires_at
        """,
        session_id, issue_id, verifier, life,
    )  # fmt: skip
    assert isinstance(expires_at, datetime)
    return expires_at


async def count_try(tx: Tx, session_id: str) -> Any:
    """Take one of the tries; the row (issue, verifier, tries, alive) or None when none is left or it was used.

    The row stays held until the transaction ends, so parallel tries are counted and compared one after the other.
    `alive` is judged by the database's clock after the row was got.
    """
    return await tx.fetchrow(
        """
        update one_time_passwords set tries = tries + 1
         where session_id = $1 and tries < $2 and used_at is null
        returning issue, verifier, tries, expires_at > clock_timestamp() as alive
        """,
        session_id, TRIES,
    )  # fmt: skip


async def use(tx: Tx, session_id: str, issue_id: UUID) -> bool:
    """It was entered right; False when it lapsed in the meantime."""
    return bool(
        await tx.execute(
            """
            update one_time_passwords set used_at = clock_timestamp()
             where session_id = $1 and issue = $2 and used_at is null and expires_at > clock_timestamp()
            """,
            session_id, issue_id,
        )
    )  # fmt: skip
