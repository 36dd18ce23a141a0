"""The notifier's public keys, to seal secrets with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.sql import Reader, Tx


async def usable(reader: Reader, purpose: str) -> Any:
    """The key to seal with now (key_id, public_key), the one that lasts longest; None when there is none."""
    return await reader.fetchrow(
        """
        select key_id, public_key from sealing_keys
         where purpose = $1 and use_from <= now() and use_until > now() order by use_from desc limit 1
        """,
        purpose,
    )


async def replace(tx: Tx, keys: Sequence[tuple[str, str, bytes, datetime, datetime]], said_at: datetime) -> None:
    """These (key_id, purpose, public_key, use_from, use_until) and no others, unless later said ones are known.

    A clock that is ahead of ours says no later than now: else nothing would replace its keys once it is right again.
    """
    await tx.execute("lock table sealing_keys in share row exclusive mode")  # one after the other; readers do not wait
    if await tx.fetchval("select exists (select from sealing_keys where said_at > $1)", said_at):
        return
    await tx.execute("delete from sealing_keys")
    await tx.executemany(
        """
        insert into sealing_keys (key_id, purpose, public_key, use_from, use_until, said_at)
        values ($1, $2, $3, $4, $5, least($6, now()))
        """,
        [(*key, said_at) for key in keys],
    )
