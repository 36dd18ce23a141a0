"""Group viewers as NEXI's events change them (N2)."""

from collections.abc import Sequence
from datetime import datetime

from chassis.sql import Reader, Tx
from contracts.nexi import Administrator
from identity.store.users import COLUMNS, User, user_of


async def change(
    tx: Tx, user_id: str, person: Administrator, policyholder_codes: Sequence[str], issued_at: datetime
) -> User | None:
    """Person and companies as NEXI says, and enabled; None when NEXI said something later already."""
    return user_of(
        await tx.fetchrow(
            f"""
            update users
               set name = $3, email = $4, phone = $5, department = $6, title = $7, viewed_companies = $8,
                   enabled = true, issued_at = $2, version = version + 1, changed_at = now()
             where user_id = $1 and issued_at < $2 returning {COLUMNS}
            """,
            user_id, issued_at, person.name, person.email, person.phone, person.department, person.title,
            list(policyholder_codes),
        )
    )  # fmt: skip


async def can_log_in(reader: Reader, user_id: str) -> bool:
    """Whether there is an own password, or a temporary one that is still alive."""
    return bool(
        await reader.fetchval(
            """
            select password_hash is not null
                or exists (select from temporary_passwords as t
                            where t.user_id = u.user_id and used_at is null and expires_at > now())
              from users as u where user_id = $1
            """,
            user_id,
        )
    )


async def withdraw(tx: Tx, user_id: str, issued_at: datetime) -> User | None:
    """Disable; None when NEXI said something later already."""
    return user_of(
        await tx.fetchrow(
            f"""
            update users set enabled = false, issued_at = $2, version = version + 1, changed_at = now()
             where user_id = $1 and issued_at < $2 returning {COLUMNS}
            """,
            user_id, issued_at,
        )
    )  # fmt: skip
