"""Token buckets by source address, taken from atomically; when they cannot be asked, nothing is allowed."""

from datetime import timedelta

from chassis.sql import Reader, Tx

LOGIN = "login"
REISSUE = "reissue"


async def take(reader: Reader, kind: str, source: str, most: int, per_minute: float) -> bool:
    """Take one from the bucket of this address, holding `most` and filled by `per_minute`; False: empty."""
    left = "least($3, known.tokens + greatest(extract(epoch from clock_timestamp() - known.at), 0) * $4 / 60)"
    taken = await reader.execute(
        f"""
        insert into source_limits as known (kind, source, tokens, at) values ($1, $2, $3 - 1, clock_timestamp())
        on conflict (kind, source) do update set tokens = {left} - 1, at = clock_timestamp()
         where {left} >= 1
        """,
        kind, source, float(most), per_minute,
    )  # fmt: skip
    return bool(taken)


async def give_back(reader: Reader, kind: str, source: str, most: int) -> None:
    """The try was a good one and shall not count."""
    await reader.execute(
        "update source_limits set tokens = least($3, tokens + 1) where kind = $1 and source = $2",
        kind, source, float(most),
    )  # fmt: skip


async def forget(tx: Tx, after: timedelta) -> None:
    """Delete buckets that have long been full again."""
    await tx.execute("delete from source_limits where at < now() - $1::interval", after)
