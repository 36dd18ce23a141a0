"""What users are shown as their own recent logins, and when the last one was."""

from datetime import timedelta
from typing import Any

from chassis.sql import Reader, Tx


async def candidate(reader: Reader, user_id: str) -> Any:
    """What a login is checked against; one row for unknown IDs too, all null, so that nothing takes another path."""
    return await reader.fetchrow(
        """
        select u.user_id, u.policyholder_code, u.name, u.department, u.title, u.role, u.enabled, u.password_hash,
               t.verifier, t.expires_at > now() and t.used_at is null as temporary_alive,
               c.name as company,
               exists (
                   select from companies as viewed
                    where viewed.policyholder_code = any(u.viewed_companies || u.policyholder_code)
                      and viewed.uses_one_time_password
               ) as gated
          from (select $1::text as wanted) as asked
          left join users as u on u.user_id = asked.wanted
          left join companies as c on c.policyholder_code = u.policyholder_code
          left join temporary_passwords as t on t.user_id = u.user_id
        """,
        user_id,
    )


async def succeed(tx: Tx, user_id: str, password_hash: str | None) -> Any:
    """Note a successful login unless the user was disabled or the password replaced since it was compared.

    Answers the row with `previous`, the login before this one (L2); None when it does not count any more.
    """
    return await tx.fetchrow(
        """
        update users set last_login_at = now()
         where user_id = $1 and enabled and password_hash is not distinct from $2
        returning (select before.last_login_at from users as before where before.user_id = $1) as previous
        """,
        user_id, password_hash,
    )  # fmt: skip


async def note(tx: Tx, user_id: str, succeeded: bool, source_address: str, user_agent: str) -> None:
    """Remember a try for the user's own list; for an unknown ID the statement does nothing and takes as long."""
    await tx.execute(
        """
        insert into logins (user_id, succeeded, source_address, user_agent)
        select user_id, $2, $3, $4 from users where user_id = $1
        """,
        user_id, succeeded, source_address, user_agent,
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
