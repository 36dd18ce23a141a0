"""Policyholders as far as logins need them: name, riders, whether one-time passwords are in use."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from chassis.sql import Reader, Tx

COLUMNS = """
    policyholder_code, name, uses_comprehensive_insurance, rider_codes, uses_one_time_password, rights_version
"""


class Company(BaseModel):
    """A policyholder as of now."""

    model_config = ConfigDict(frozen=True)
    policyholder_code: str
    name: str
    uses_comprehensive_insurance: bool
    rider_codes: tuple[str, ...]
    uses_one_time_password: bool
    rights_version: int


class Taken(StrEnum):
    """What a registration did."""

    NEW = "new"
    CHANGED = "changed"


def _company_of(row: Any) -> Company | None:
    return None if row is None else Company.model_validate(dict(row))


async def find(reader: Reader, policyholder_code: str) -> Company | None:
    """The company with this code."""
    return _company_of(
        await reader.fetchrow(f"select {COLUMNS} from companies where policyholder_code = $1", policyholder_code)
    )


async def find_all(reader: Reader, policyholder_codes: Collection[str]) -> list[Company]:
    """Those of these companies that are known here."""
    rows = await reader.fetch(
        f"select {COLUMNS} from companies where policyholder_code = any($1)", list(policyholder_codes)
    )
    return [Company.model_validate(dict(row)) for row in rows]


async def lock(tx: Tx, policyholder_code: str) -> Company | None:
    """The company with this code, held until the transaction ends."""
    return _company_of(
        await tx.fetchrow(
            f"select {COLUMNS} from companies where policyholder_code = $1 for no key update", policyholder_code
        )
    )


async def register(
    tx: Tx,
    *,
    policyholder_code: str,
    name: str,
    issued_at: datetime,
    terms_agreed: bool,
    uses_comprehensive_insurance: bool,
    rider_codes: Sequence[str],
) -> Taken | None:
    """What NEXI registered, unless something later is known already (None).

    A name that came with a profile stays, and riders that were changed later stay.
    """
    taken = await tx.fetchval(
        """
        insert into companies as known (policyholder_code, name, registered_at, terms_agreed,
                                        uses_comprehensive_insurance, rider_codes, riders_issued_at)
        values ($1, $2, $3, $4, $5, $6, $3)
        on conflict (policyholder_code) do update
           set name = case when known.profile_version = 0 then excluded.name else known.name end,
               registered_at = excluded.registered_at,
               terms_agreed = known.terms_agreed or excluded.terms_agreed,
               uses_comprehensive_insurance = case when known.riders_issued_at <= excluded.riders_issued_at
                   then excluded.uses_comprehensive_insurance else known.uses_comprehensive_insurance end,
               rider_codes = case when known.riders_issued_at <= excluded.riders_issued_at
                   then excluded.rider_codes else known.rider_codes end,
               riders_issued_at = greatest(known.riders_issued_at, excluded.riders_issued_at)
         where known.registered_at < excluded.registered_at
        returning case when xmax = 0 then 'new' else 'changed' end  -- xmax: the row was there to be held
        """,
        policyholder_code, name, issued_at, terms_agreed, uses_comprehensive_insurance, list(rider_codes),
    )  # fmt: skip
    return None if taken is None else Taken(taken)


async def set_riders(
    tx: Tx, policyholder_code: str, uses_comprehensive_insurance: bool, rider_codes: Sequence[str], issued_at: datetime
) -> bool:
    """The riders as NEXI says, unless it said something later already; whether it was taken."""
    return bool(
        await tx.execute(
            """
            update companies set uses_comprehensive_insurance = $2, rider_codes = $3, riders_issued_at = $4
             where policyholder_code = $1 and riders_issued_at < $4
            """,
            policyholder_code, uses_comprehensive_insurance, list(rider_codes), issued_at,
        )
    )  # fmt: skip


async def set_name(tx: Tx, policyholder_code: str, name: str, profile_version: int) -> None:
    """The name of a profile, unless a later one is known."""
    await tx.execute(
        "update companies set name = $2, profile_version = $3 where policyholder_code = $1 and profile_version < $3",
        policyholder_code, name, profile_version,
    )  # fmt: skip


async def revoke(tx: Tx, policyholder_code: str) -> int:
    """Let tokens that carry an earlier version be refused; answers the new version."""
    version = await tx.fetchval(
        "update companies set rights_version = rights_version + 1 where policyholder_code = $1"
        " returning rights_version",
        policyholder_code,
    )
    return int(version)


async def any_uses_one_time_password(reader: Reader, policyholder_codes: Sequence[str]) -> bool:
    """Whether a session over these companies needs a one-time password: one of them uses it (O2)."""
    return bool(
        await reader.fetchval(
            "select exists (select from companies where policyholder_code = any($1) and uses_one_time_password)",
            list(policyholder_codes),
        )
    )
