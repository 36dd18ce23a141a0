"""The user's own password, as its hash."""

from chassis.sql import Tx


async def replace(tx: Tx, user_id: str, known: str | None, new: str) -> bool:
    """Set a new hash in place of the one that was compared; False when that one is not in force any more."""
    return bool(
        await tx.execute(
            "update users set password_hash = $3 where user_id = $1 and password_hash is not distinct from $2",
            user_id, known, new,
        )
    )  # fmt: skip


async def kill(tx: Tx, user_id: str) -> None:
    """The own password is dead; only a temporary one leads further."""
    await tx.execute("update users set password_hash = null where user_id = $1", user_id)
