"""The one live temporary password of a user (L5)."""

from datetime import datetime, timedelta

from chassis.sql import Tx


async def replace(tx: Tx, user_id: str, verifier: bytes, reason: str, life: timedelta) -> datetime:
    """From now on this one alone; answers when it expires."""
    expires_at = await tx.fetchval(
        """
        insert into temporary_passwords (user_id, verifier, reason, expires_at)
        values ($1, $2, $3, now() + $4::interval)
        on conflict (user_id) do update set verifier = excluded.verifier, reason = excluded.reason,
            issued_at = now(), expires_at = excluded.expires_at, used_at = null
        returning expires_at
        """,
        user_id, verifier, reason, life,
    )  # fmt: skip
    assert isinstance(expires_at, datetime)
    return expires_at


async def use(tx: Tx, user_id: str, verifier: bytes) -> bool:
    """Use it up; False when it was used, replaced or expired before."""
    return bool(
        await tx.execute(
            """
            update temporary_passwords set used_at = clock_timestamp()
             where user_id = $1 and verifier = $2 and used_at is null and expires_at > clock_timestamp()
            """,
            user_id, verifier,
        )
    )  # fmt: skip


async def void(tx: Tx, user_id: str) -> None:
    """There is none any more."""
    await tx.execute("update temporary_passwords set used_at = now() where user_id = $1 and used_at is null", user_id)


async def used(tx: Tx, user_id: str) -> bytes | None:
    """The verifier of the one that was used last, to be refused as the new password."""
    verifier = await tx.fetchval(
        "select verifier from temporary_passwords where user_id = $1 and used_at is not null", user_id
    )
    assert verifier is None or isinstance(verifier, bytes)
    return verifier
