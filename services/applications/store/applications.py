"""Looking applications up: by whoever may see them, by those who carry them out, by what they name."""

from datetime import datetime
from typing import Any
from uuid import UUID

from applications.rules.scopes import Scope
from applications.store.rows import COLUMNS, Application, application
from chassis.sql import Reader, Tx

VISIBLE = """
    policyholder_code = any($1) and ($2::text is null or created_by = $2 or submitted_by = $2)
    and ($3::text is null or session_id = $3)
    and (submitted_at is null or state = 'submitted'
         or (submitted_at at time zone 'Asia/Tokyo') + interval '2 years' > $4::timestamptz at time zone 'Asia/Tokyo')
"""
"""What a scope ($1 to $3) may see at a moment ($4): 入力中, 申込中, or 申込後2年以内 (R86, P4)."""


async def visible(reader: Reader, scope: Scope, number: str, now: datetime) -> Application | None:
    """The application, if it exists and the caller may see it."""
    return application(
        await reader.fetchrow(
            f"select {COLUMNS} from applications where {VISIBLE} and number = $5",
            scope.codes, scope.user_id, scope.session_id, now, number,
        )
    )  # fmt: skip


async def held(tx: Tx, number: str) -> Application | None:
    """The application, locked until the transaction ends, whoever asks."""
    return application(await tx.fetchrow(f"select {COLUMNS} from applications where number = $1 for update", number))


async def submitted(reader: Reader, number: str) -> Application | None:
    """The application, if it was ever submitted; for those who carry it out."""
    return application(
        await reader.fetchrow(
            f"select {COLUMNS} from applications where number = $1 and submitted_at is not null",
            number,
        )
    )


async def numbered(reader: Reader, number: str) -> Application | None:
    """The application, for operators."""
    return application(await reader.fetchrow(f"select {COLUMNS} from applications where number = $1", number))


async def naming(reader: Reader, policyholder_code: str, account_id: UUID, but: str) -> list[str]:
    """The numbers of the policyholder's open applications, other than `but`, whose content names this account."""
    rows = await reader.fetch(
        """
        select number from applications
         where policyholder_code = $1 and state in ('draft', 'submitted') and $2 = any(names) and number <> $3
         order by day, serial limit 100
        """,
        policyholder_code, account_id, but,
    )  # fmt: skip
    return [row["number"] for row in rows]


async def account_as_applied_for(reader: Reader, policyholder_code: str, account_id: UUID) -> dict[str, Any]:
    """The account as the last completed application about it left it; empty when none of ours did."""
    found: dict[str, Any] | None = await reader.fetchval(
        """
        select content from applications
         where account_id = $2 and policyholder_code = $1 and state = 'completed' order by finished_at desc limit 1
        """,
        policyholder_code, account_id,
    )  # fmt: skip
    return found or {}
