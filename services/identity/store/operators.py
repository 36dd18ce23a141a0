"""What operators are shown about a user: state, never a secret."""

from datetime import timedelta
from typing import Any

from chassis.sql import Reader
from identity.store.sessions import ALIVE


async def state(reader: Reader, user_id: str, idle: timedelta, most: timedelta) -> Any:
    """Everything that tells why somebody can or cannot log in; None for an unknown ID."""
    return await reader.fetchrow(
        f"""
        select u.user_id, u.policyholder_code, u.role, u.enabled, u.name, u.email, u.version, u.last_login_at,
               u.password_hash is not null as has_own_password,
               t.reason as temporary_password, t.expires_at as temporary_expires_at, t.used_at as temporary_used_at,
               coalesce(a.failed, 0) as failures, a.locked_until,
               (select count(*) from sessions as s where s.user_id = u.user_id and {ALIVE}) as open_sessions,
               c.uses_one_time_password
          from users as u
          join companies as c using (policyholder_code)
          left join temporary_passwords as t using (user_id)
          left join login_attempts as a using (user_id)
         where u.user_id = $1
        """,
        user_id, idle, most,
    )  # fmt: skip


async def unpublished(reader: Reader) -> bool:
    """Whether something said is still waiting for the broker."""
    return bool(await reader.fetchval("select exists (select from outbox)"))
