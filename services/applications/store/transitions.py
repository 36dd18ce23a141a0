"""The steps of an application's life, each one statement on one row, written to the time-line with it (P1)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from applications.rules.lifecycle import TRANSITIONS, Step
from applications.store.rows import COLUMNS, Application, application
from chassis.sql import Tx


@dataclass(frozen=True)
class Who:
    """Who takes a step, for the time-line."""

    user_id: str
    name: str


async def confirm(
    tx: Tx, *, number: str, day: date, serial: int, policyholder_code: str, procedure: str, content: dict[str, Any],
    names: list[UUID], session_id: str, who: Who, at: datetime,
) -> Application:  # fmt: skip
    """First arrival at the confirmation screen."""
    row = await _taking(
        tx, Step.CONFIRM, who, at,
        """
        insert into applications (number, policyholder_code, procedure, state, version, content, created_at, created_by,
                                  session_id, saved_at, day, serial, names)
        values ($5, $6, $7, $2, 1, $8, $3, $4, $9, $3, $10, $11, $12) returning *
        """,
        number, policyholder_code, procedure, content, session_id, day, serial, names,
    )  # fmt: skip
    assert row is not None
    return row


async def correct(
    tx: Tx, number: str, version: int, content: dict[str, Any], names: list[UUID], who: Who, at: datetime
) -> Application | None:
    """Saved again; None when this version of the draft is not there any more."""
    return await _taking(
        tx, Step.CORRECT, who, at,
        """
        update applications set state = $2, version = version + 1, content = $7, names = $8, saved_at = $3
         where number = $5 and version = $6 and state = 'draft' returning *
        """,
        number, version, content, names,
    )  # fmt: skip


async def change_attachments(tx: Tx, step: Step, number: str, most: int, who: Who, at: datetime) -> Application | None:
    """The draft got or lost an attachment, and so a new version; None when it is no draft or has `most` already."""
    return await _taking(
        tx, step, who, at,
        """
        update applications set state = $2, version = version + 1, saved_at = $3
         where number = $5 and state = 'draft'
           and (select count(*) from attachments where attachments.number = $5) <= $6 returning *
        """,
        number, most,
    )  # fmt: skip


async def submit(
    tx: Tx, number: str, version: int, before: dict[str, Any] | None, who: Who, at: datetime
) -> Application | None:
    """申込み of this version; None when it is not a draft of this version any more."""
    return await _taking(
        tx, Step.SUBMIT, who, at,
        """
        update applications set state = $2, submitted_at = $3, submitted_by = $4, before = $7
         where number = $5 and version = $6 and state = 'draft' returning *
        """,
        number, version, before,
    )  # fmt: skip


async def withdraw(tx: Tx, number: str, version: int, who: Who, at: datetime) -> Application | None:
    """The draft is given up; None when it is not a draft of this version any more."""
    return await _taking(
        tx, Step.WITHDRAW, who, at,
        """
        update applications set state = $2, finished_at = $3
         where number = $5 and version = $6 and state = 'draft' returning *
        """,
        number, version,
    )  # fmt: skip


async def complete(
    tx: Tx, number: str, who: Who, at: datetime, *,
    effective_date: date | None = None, notice_id: UUID | None = None, account_id: UUID | None = None,
) -> Application | None:  # fmt: skip
    """Everything is complete; None when it is not submitted."""
    return await _taking(
        tx, Step.COMPLETE, who, at,
        """
        update applications set state = $2, finished_at = $3, effective_date = $6, notice_id = $7, account_id = $8
         where number = $5 and state = 'submitted' returning *
        """,
        number, effective_date, notice_id, account_id,
    )  # fmt: skip


async def reject(tx: Tx, number: str, reason: str, who: Who, at: datetime) -> Application | None:
    """Refused by those who carry it out; None when it is not submitted."""
    return await _taking(
        tx, Step.REJECT, who, at,
        """
        update applications set state = $2, finished_at = $3, reason = $6
         where number = $5 and state = 'submitted' returning *
        """,
        number, reason,
    )  # fmt: skip


async def _taking(tx: Tx, step: Step, who: Who, at: datetime, statement: str, *arguments: object) -> Application | None:
    """Run a statement that moves one row, and write the step to the time-line with it; None when no row moved.

    The statement finds the state to reach in $2, the moment in $3, the user in $4, its own arguments from $5.
    """
    last = 4 + len(arguments)
    row = await tx.fetchrow(
        f"""
        with moved as ({statement}), told as (
            insert into steps (number, step, state, version, at, user_id, user_name)
            select number, $1::text, state, version, $3::timestamptz, $4::text, ${last + 1}::text from moved
        )
        select {COLUMNS} from moved
        """,
        step, TRANSITIONS[step][1], at, who.user_id, *arguments, who.name,
    )  # fmt: skip
    return application(row)
