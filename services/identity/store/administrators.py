"""The administrator's own data, and the setting that is made together with it."""

from typing import Any

from chassis.sql import Reader, Tx
from identity.store import users
from identity.store.users import User


async def change(tx: Tx, user_id: str, *, name: str, phone: str, department: str, title: str) -> User:
    """Put these values in the place of the present ones; the version grows even if only a setting changed with them."""
    changed = users.user_of(
        await tx.fetchrow(
            f"""
            update users set name = $2, phone = $3, department = $4, title = $5,
                   version = version + 1, changed_at = now()
             where user_id = $1
            returning {users.COLUMNS}
            """,
            user_id, name, phone, department, title,
        )
    )  # fmt: skip
    assert changed is not None
    return changed


async def set_address(tx: Tx, user_id: str, address: str) -> User:
    """The confirmed address is in force from now on."""
    changed = users.user_of(
        await tx.fetchrow(
            f"""
            update users set email = $2, version = version + 1, changed_at = now() where user_id = $1
            returning {users.COLUMNS}
            """,
            user_id, address,
        )
    )  # fmt: skip
    assert changed is not None
    return changed


async def switch_one_time_passwords(tx: Tx, policyholder_code: str, in_use: bool) -> None:
    """ワンタイムパスワード利用 for all users of the company (R323)."""
    await tx.execute(
        "update companies set uses_one_time_password = $2 where policyholder_code = $1", policyholder_code, in_use
    )


async def standing(db: Reader, user_id: str) -> Any:
    """What is known of the administrator beside the user: whether mail comes back, and since when it is a user."""
    return await db.fetchrow(
        "select created_at, exists (select from failing_addresses f where f.user_id = u.user_id) as address_failing"
        " from users u where user_id = $1",
        user_id,
    )
