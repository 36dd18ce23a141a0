"""What users are shown as their own recent logins, and when the last one was."""

from datetime import timedelta
from typing import Any

from chassis.sql import Reader, Tx
from identity.store.attempts import RESERVE, RESERVED_FOR, SUCCESS

KNOWN = """
    select u.user_id, u.policyholder_code, u.name, u.department, u.title, u.role, u.enabled, u.password_hash,
           t.verifier, t.expires_at > now() and t.used_at is null as temporary_alive,
           c.name as company,
           exists (
               select from companies as viewed
                where viewed.uses_one_time_password
                  and viewed.policyholder_code = any(
                          coalesce(nullif(u.viewed_companies, '{}'), array[u.policyholder_code]))
           ) as gated
      from (select $1::text as wanted) as asked
      left join users as u on u.user_id = asked.wanted
      left join companies as c on c.policyholder_code = u.policyholder_code
      left join temporary_passwords as t on t.user_id = u.user_id
"""
"""What a login is checked against; one row for unknown IDs too, all null, so that nothing takes another path."""


async def reserved(reader: Reader, user_id: str, most: int) -> Any:
    """Reserve a comparison and read what to compare with: a row of KNOWN with the `epoch` to settle it with (L1).

    `epoch` is null when the ID is locked, or when all `most` comparisons are under way.
    """
    return await reader.fetchrow(
        f"with reserved as ({RESERVE}) select known.*, (select epoch from reserved) from ({KNOWN}) as known",
        user_id, most, RESERVED_FOR,
    )  # fmt: skip


async def candidate(reader: Reader, user_id: str) -> Any:
    """The same row without a comparison."""
    return await reader.fetchrow(KNOWN, user_id)


async def succeed(
    tx: Tx, user_id: str, epoch: int, password_hash: str | None, source_address: str, user_agent: str
) -> Any:
    """Settle a login as right, and note it.

    Answers the row with `previous`, the login before this one (L2). None, and then roll back: the reservation is void,
    the user was disabled, or the password replaced since it was compared.
    """
    return await tx.fetchrow(
        f"""
        with welcomed as (  -- the user before its attempts, in the order of everybody who ends a lock
            update users set last_login_at = now()
             where user_id = $1 and enabled and password_hash is not distinct from $3
            returning user_id, (select before.last_login_at from users as before where before.user_id = $1) as previous
        ), settled as (
            update login_attempts set {SUCCESS} from welcomed
             where login_attempts.user_id = welcomed.user_id and epoch = $2 and locked_until is null
            returning previous
        ), noted as (
            insert into logins (user_id, succeeded, source_address, user_agent)
            select user_id, true, $4, $5 from welcomed
        )
        select previous from settled
        """,
        user_id, epoch, password_hash, source_address, user_agent,
    )  # fmt: skip


async def note_failure(tx: Tx, user_id: str, source_address: str, user_agent: str) -> None:
    """Remember it for the user's own list; for an unknown ID the statement does nothing and takes as long."""
    await tx.execute(
        """
        insert into logins (user_id, succeeded, source_address, user_agent)
        select user_id, false, $2, $3 from users where user_id = $1
        """,
        user_id, source_address, user_agent,
    )  # fmt: skip


async def recent(reader: Reader, user_id: str, most: int) -> list[Any]:
    """The newest tries of a user."""
    return await reader.fetch(
        "select at, succeeded, source_address, user_agent from logins where user_id = $1 order by at desc, number desc"
        " limit $2",
        user_id, most,
    )  # fmt: skip


async def forget(tx: Tx, after: timedelta) -> None:
    """Delete what is older."""
    await tx.execute("delete from logins where at < now() - $1::interval", after)
