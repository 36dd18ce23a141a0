"""Wished e-mail addresses of administrators, until their links are confirmed (E1 to E3)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx

_SHOWN = """
    id, user_id, new_address, requested_at, mail_accepted_at, mail_failed_at, confirmed_at,
    superseded_by is not null as superseded, withdrawn_at is not null as withdrawn
"""
_OPEN = "confirmed_at is null and superseded_by is null and withdrawn_at is null"


async def pending(db: Reader, user_id: str) -> Any:
    """The administrator's open request, lapsed or not, or None."""
    return await db.fetchrow(f"select {_SHOWN} from email_changes where user_id = $1 and {_OPEN}", user_id)


async def requested_within(tx: Tx, user_id: str, window: timedelta) -> int:
    """How often this administrator asked for another address lately."""
    return int(
        await tx.fetchval(
            "select count(*) from email_changes where user_id = $1 and requested_at > now() - $2::interval",
            user_id,
            window,
        )
    )


async def request(
    tx: Tx, change_id: UUID, *, user_id: str, new_address: str, token_hash: bytes, mail_id: UUID, now: datetime
) -> None:
    """A new request; the older one is superseded by it (E1)."""
    await tx.execute(f"update email_changes set superseded_by = $2 where user_id = $1 and {_OPEN}", user_id, change_id)
    await tx.execute(
        "insert into email_changes (id, user_id, new_address, token_hash, mail_id, requested_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        change_id,
        user_id,
        new_address,
        token_hash,
        mail_id,
        now,
    )


async def withdraw(tx: Tx, user_id: str) -> int:
    """The administrator takes the open request back; answers how many there were."""
    return await tx.execute(f"update email_changes set withdrawn_at = now() where user_id = $1 and {_OPEN}", user_id)


async def owner(db: Reader, token_hash: bytes) -> str | None:
    """Whose request this token belongs to."""
    user_id: str | None = await db.fetchval("select user_id from email_changes where token_hash = $1", token_hash)
    return user_id


async def by_token(tx: Tx, token_hash: bytes) -> Any:
    """The request that this token belongs to, and the database's clock."""
    return await tx.fetchrow(
        f"select {_SHOWN}, clock_timestamp() as now from email_changes where token_hash = $1 for update", token_hash
    )


async def confirm(tx: Tx, change_id: UUID) -> None:
    """The link was used."""
    await tx.execute("update email_changes set confirmed_at = clock_timestamp() where id = $1", change_id)


async def mail_accepted(tx: Tx, mail_id: UUID, at: datetime) -> None:
    """The 24 hours count from here (E2); a mail is accepted once."""
    await tx.execute(
        "update email_changes set mail_accepted_at = least($2, now()) where mail_id = $1 and mail_accepted_at is null",
        mail_id,
        at,
    )


async def mail_failed(tx: Tx, mail_id: UUID) -> None:
    """The mail with the link will not arrive."""
    await tx.execute("update email_changes set mail_failed_at = now() where mail_id = $1", mail_id)


async def note_failing(tx: Tx, user_id: str, policyholder_code: str) -> None:
    """Mail to this user bounces."""
    await tx.execute(
        "insert into failing_addresses (user_id)"
        " select user_id from users where user_id = $1 and policyholder_code = $2 on conflict do nothing",
        user_id,
        policyholder_code,
    )


async def note_working(tx: Tx, user_id: str) -> None:
    """Mail reaches this user, or the address is a new one."""
    await tx.execute("delete from failing_addresses where user_id = $1", user_id)
