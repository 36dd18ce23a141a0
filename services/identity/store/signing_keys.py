"""The keys of access tokens: public part to publish, private part covered."""

from datetime import timedelta
from typing import Any

from chassis.sql import Reader, Tx

LOCK = 0x6B65_7973  # 'keys': one rotation at a time


async def known(reader: Reader) -> list[Any]:
    """The keys that verify now, oldest first; `signs` tells whether a key may sign already."""
    return await reader.fetch(
        """
        select key_id, public_key, sealed_key, signs_from <= now() as signs, created_at, signs_from, verify_until
          from signing_keys where verify_until is null or verify_until > now() order by signs_from, key_id
        """
    )


async def hold(tx: Tx) -> None:
    """Let no other process rotate until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock($1)", LOCK)


async def add(tx: Tx, key_id: str, public_key: bytes, sealed_key: bytes, notice: timedelta) -> None:
    """A new key that signs after `notice`."""
    await tx.execute(
        "insert into signing_keys (key_id, public_key, sealed_key, signs_from)"
        " values ($1, $2, $3, now() + $4::interval)",
        key_id, public_key, sealed_key, notice,
    )  # fmt: skip


async def retire(tx: Tx, but: str, verify_for: timedelta) -> None:
    """All keys but the new one verify for this long yet, then they are gone."""
    await tx.execute(
        "update signing_keys set verify_until = now() + $2::interval where key_id <> $1 and verify_until is null",
        but, verify_for,
    )  # fmt: skip
    await tx.execute("delete from signing_keys where verify_until < now()")
