"""What became of each account procedure, and the version of the account that it made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx


async def answer(reader: Reader, number: str) -> Any:
    """What was answered to a procedure, or None."""
    return await reader.fetchrow(
        "select policyholder_code, account_id, reason, decided_at from account_procedures where number = $1", number
    )


async def record_applied(
    tx: Tx, number: str, code: str, procedure: str, account_id: UUID, version: int, decided_at: datetime
) -> None:
    """A procedure was carried out; keep the account as it now is."""
    await tx.execute(
        """
        insert into account_procedures (number, policyholder_code, procedure, account_id, version, decided_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        number, code, procedure, account_id, version, decided_at,
    )  # fmt: skip
    await tx.execute(
        """
        insert into account_versions
               (account_id, version, number, bank_code, branch_code, deposit_type, account_number, holder, holder_kana,
                use, fixed_date, deleted)
        select id, version, $2, bank_code, branch_code, deposit_type, account_number, holder, holder_kana, use,
               fixed_date, deleted_at is not null
          from bank_accounts where id = $1
        """,
        account_id, number,
    )  # fmt: skip


async def record_refused(tx: Tx, number: str, code: str, procedure: str, reason: str, decided_at: datetime) -> None:
    """A procedure was refused."""
    await tx.execute(
        """
        insert into account_procedures (number, policyholder_code, procedure, reason, decided_at)
        values ($1, $2, $3, $4, $5)
        """,
        number, code, procedure, reason, decided_at,
    )  # fmt: skip


async def history(reader: Reader, code: str, *, account_id: UUID | None, before: int | None, limit: int) -> list[Any]:
    """What was done to a policyholder's accounts (or to one of them), the newest first, with what each became."""
    return await reader.fetch(
        """
        select p.place, p.number, p.procedure, p.decided_at, v.account_id, v.version, v.bank_code, b.name as bank_name,
               v.branch_code, r.name as branch_name, v.deposit_type, v.account_number, v.holder, v.holder_kana, v.use,
               v.fixed_date, v.deleted
          from account_procedures p
          join account_versions v on v.number = p.number
          join banks b on b.code = v.bank_code
          join branches r on r.bank_code = v.bank_code and r.code = v.branch_code
         where p.policyholder_code = $1 and ($2::uuid is null or v.account_id = $2)
           and ($3::bigint is null or p.place < $3)
         order by p.place desc limit $4
        """,
        code, account_id, before, limit,
    )  # fmt: skip
