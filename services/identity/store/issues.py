"""How often something was issued to a user, in sliding windows (O1, L6)."""

from datetime import timedelta

from chassis.sql import Tx


async def take(tx: Tx, user_id: str, kind: str, *limits: tuple[int, timedelta]) -> bool:
    """Count one more issue, unless that would pass one of the (most, window) limits; whether it was counted.

    The user's row is held, so that parallel requests count one after the other.
    """
    await tx.execute("select from users where user_id = $1 for no key update", user_id)
    for most, window in limits:
        issued = await tx.fetchval(
            "select count(*) from issues where user_id = $1 and kind = $2 and at > clock_timestamp() - $3::interval",
            user_id, kind, window,
        )  # fmt: skip
        if issued >= most:
            return False
    await tx.execute("insert into issues (user_id, kind) values ($1, $2)", user_id, kind)
    return True


async def forget(tx: Tx, after: timedelta) -> None:
    """Delete what no window reaches any more."""
    await tx.execute("delete from issues where at < now() - $1::interval", after)
