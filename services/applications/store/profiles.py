"""The replica of what accounts says about policyholders."""

from typing import Any

from chassis.sql import Reader, Tx


async def keep(tx: Tx, policyholder_code: str, version: int, profile: dict[str, Any]) -> None:
    """Remember the profile; the greatest version wins, however they arrive."""
    await tx.execute(
        """
        insert into profiles (policyholder_code, version, profile) values ($1, $2, $3)
        on conflict (policyholder_code) do update set version = excluded.version, profile = excluded.profile
         where profiles.version < excluded.version
        """,
        policyholder_code, version, profile,
    )  # fmt: skip


async def in_force(reader: Reader, policyholder_code: str) -> dict[str, Any] | None:
    """The profile in force; None when accounts has not told us of this policyholder."""
    profile: dict[str, Any] | None = await reader.fetchval(
        "select profile from profiles where policyholder_code = $1", policyholder_code
    )
    return profile
