"""Bank accounts of policyholders: the live ones, and every version there was."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from accounts.rules.bank_accounts import Standing, Wish
from chassis.messages import new_id
from chassis.sql import Reader, Tx
from contracts.applications import AccountChange, AccountRegistration, AccountWish


class Column(StrEnum):
    """What the list can be sorted by (R104)."""

    USE = "use"
    ACCOUNT_NUMBER = "account_number"
    FIXED_DATE = "fixed_date"


class Direction(StrEnum):
    """△ and ▽."""

    ASCENDING = "asc"
    DESCENDING = "desc"


# The uses in the order of the manual, not of their codes.
_SORTED: Final = {
    Column.USE: "case a.use when 'premium_refund' then 0 else 1 end",
    Column.ACCOUNT_NUMBER: "a.account_number",
    Column.FIXED_DATE: "a.fixed_date",
}
_ACCOUNT: Final = """
    select a.id, a.version, a.bank_code, b.name as bank_name, a.branch_code, r.name as branch_name, a.deposit_type,
           a.account_number, a.holder, a.holder_kana, a.use, a.fixed_date
      from bank_accounts a
      join banks b on b.code = a.bank_code
      join branches r on r.bank_code = a.bank_code and r.code = a.branch_code
     where a.policyholder_code = $1 and a.deleted_at is null
"""


async def listing(reader: Reader, code: str, column: Column, direction: Direction) -> list[Any]:
    """The live accounts of a policyholder; equal ones in the order in which they were registered."""
    order = "desc" if direction is Direction.DESCENDING else "asc"
    return await reader.fetch(f"{_ACCOUNT} order by {_SORTED[column]} {order}, a.id", code)


async def one(reader: Reader, code: str, account_id: UUID) -> Any:
    """A live account of the policyholder, or None."""
    return await reader.fetchrow(f"{_ACCOUNT} and a.id = $2", code, account_id)


async def hold(tx: Tx, code: str) -> None:
    """Procedures of one policyholder come one after the other, so that what was checked stays so until the commit."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", code)


async def standing(reader: Reader, code: str, wish: Wish) -> Standing:
    """What is known about a wish of this policyholder."""
    account_id = None if isinstance(wish, AccountRegistration) else wish.account_id
    wished = wish if isinstance(wish, AccountWish) else None
    row = await reader.fetchrow(
        """
        select (select version from bank_accounts
                 where policyholder_code = $1 and id = $2 and deleted_at is null) as account_version,
               (select id from bank_accounts
                 where policyholder_code = $1 and bank_code = $3 and branch_code = $4 and deposit_type = $5
                   and account_number = $6 and use = $7 and deleted_at is null and id is distinct from $2) as twin,
               b.name as bank_name, r.name as branch_name
          from (select) as nothing
          left join banks b on b.code = $3 and b.removed_at is null
          left join branches r on r.bank_code = b.code and r.code = $4 and r.removed_at is null
        """,
        code, account_id, *([None] * 5 if wished is None else _identity(wished)),
    )  # fmt: skip
    return Standing(**row)


async def for_same_use(reader: Reader, code: str, use: str) -> int:
    """How many live accounts the policyholder has for a use (R204)."""
    return int(
        await reader.fetchval(
            "select count(*) from bank_accounts where policyholder_code = $1 and use = $2 and deleted_at is null",
            code, use,
        )
    )  # fmt: skip


async def add(tx: Tx, code: str, wish: AccountRegistration, fixed_date: date) -> tuple[UUID, int]:
    """Register an account; answers its id and version. The unique index has the last word on duplicates."""
    account_id = new_id()
    await tx.execute(
        """
        insert into bank_accounts
               (id, policyholder_code, bank_code, branch_code, deposit_type, account_number, use, holder, holder_kana,
                fixed_date)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        account_id, code, *_values(wish), fixed_date,
    )  # fmt: skip
    return account_id, 1


async def replace(tx: Tx, wish: AccountChange, fixed_date: date) -> tuple[UUID, int]:
    """Change an account; answers its id and new version."""
    await tx.execute(
        """
        update bank_accounts
           set bank_code = $2, branch_code = $3, deposit_type = $4, account_number = $5, use = $6, holder = $7,
               holder_kana = $8, fixed_date = $9, version = version + 1
         where id = $1
        """,
        wish.account_id, *_values(wish), fixed_date,
    )  # fmt: skip
    return wish.account_id, wish.account_version + 1


async def delete(tx: Tx, account_id: UUID, version: int, deleted_at: datetime) -> tuple[UUID, int]:
    """Take an account out of all lists; it stays in the history (P8). Answers its id and last version."""
    await tx.execute(
        "update bank_accounts set deleted_at = $2, version = version + 1 where id = $1", account_id, deleted_at
    )
    return account_id, version + 1


def _identity(wish: AccountWish) -> tuple[str, ...]:
    """What must be unique among the live accounts of a policyholder (F5)."""
    return wish.bank_code, wish.branch_code, wish.deposit_type, wish.account_number, wish.use


def _values(wish: AccountWish) -> tuple[str, ...]:
    return *_identity(wish), wish.holder, wish.holder_kana
