"""Consecutive failures by ID: a try is reserved before it is compared, so that parallel ones buy nothing more (L1)."""

from datetime import datetime, timedelta
from typing import Any

from chassis.sql import Reader, Tx

RESERVED_FOR = timedelta(minutes=1)
"""A reservation whose process died is void after this; its late result, should it come, does not count."""

# What of the row still counts now.
FAILED = "case when known.locked_until <= now() then 0 else known.failed end"
RESERVED = "case when known.reserved_until <= now() then 0 else known.reserved end"


RESERVE = f"""
insert into login_attempts as known (user_id, reserved, reserved_until) values ($1, 1, now() + $3::interval)
on conflict (user_id) do update
   set failed = {FAILED},
       locked_until = case when known.locked_until > now() then known.locked_until end,
       reserved = {RESERVED} + 1,
       epoch = known.epoch + (known.reserved > 0 and known.reserved_until <= now())::int,
       reserved_until = excluded.reserved_until
 where (known.locked_until is null or known.locked_until <= now()) and {FAILED} + {RESERVED} < $2
returning epoch
"""
"""The right of $1 to one comparison, of at most $2 at a time and for $3; no row when locked or when all are taken."""

SUCCESS = "failed = 0, reserved = greatest(reserved - 1, 0)"
"""What settling a reserved try as right does: it ends the count."""


async def locked_until(reader: Reader, user_id: str) -> datetime | None:
    """The end of the lock; None when the ID is not locked."""
    until = await reader.fetchval(
        "select locked_until from login_attempts where user_id = $1 and locked_until > now()", user_id
    )
    assert until is None or isinstance(until, datetime)
    return until


async def fail(tx: Tx, user_id: str, epoch: int, most: int, lock: timedelta) -> Any:
    """Settle a reserved try as wrong; the row with `failed` and `locked_until`, None when the reservation is void."""
    return await tx.fetchrow(
        """
        update login_attempts
           set failed = failed + 1,
               reserved = greatest(reserved - 1, 0),
               locked_until = case when failed + 1 >= $3 then now() + $4::interval end
         where user_id = $1 and epoch = $2
        returning failed, locked_until
        """,
        user_id, epoch, most, lock,
    )  # fmt: skip


async def succeed(tx: Tx, user_id: str, epoch: int) -> bool:
    """Settle a reserved try as right; False when the reservation is void."""
    statement = f"update login_attempts set {SUCCESS} where user_id = $1 and epoch = $2 and locked_until is null"
    return bool(await tx.execute(statement, user_id, epoch))


async def clear(tx: Tx, user_id: str) -> bool:
    """End a lock and the count; tries under way do not count any more. Answers whether it was locked."""
    row = await tx.fetchrow(
        "select locked_until > now() as locked from login_attempts where user_id = $1 for update", user_id
    )
    await tx.execute(
        "update login_attempts set failed = 0, reserved = 0, locked_until = null, epoch = epoch + 1 where user_id = $1",
        user_id,
    )
    return row is not None and row["locked"] is True


async def forget(tx: Tx, after: timedelta) -> None:
    """Delete the counts of IDs that nobody has tried for this long; a lock stays until its end."""
    await tx.execute(
        "delete from login_attempts where reserved_until < now() - $1::interval"
        " and (locked_until is null or locked_until <= now())",
        after,
    )
