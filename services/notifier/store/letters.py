"""Letters for the mail room: waiting, printed, posted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx


async def add(
    tx: Tx, letter_id: UUID, policyholder_code: str, about_user_id: str, company: str, refused: str = ""
) -> bool:
    """Write a letter down; with `refused` it failed. False when it is known already."""
    return bool(
        await tx.execute(
            """
            insert into letters (id, policyholder_code, about_user_id, company, state, reason)
            values ($1, $2, $3, $4, case when $5::text = '' then 'waiting' else 'failed' end, $5)
            on conflict do nothing
            """,
            letter_id, policyholder_code, about_user_id, company, refused,
        )
    )  # fmt: skip


async def known(reader: Reader, letter_id: UUID) -> bool:
    """Whether this letter has been written down."""
    return bool(await reader.fetchval("select exists (select from letters where id = $1)", letter_id))


async def listing(reader: Reader, everything: bool) -> list[Any]:
    """Letters that wait for posting, oldest first; or all of them."""
    return await reader.fetch(
        "select * from letters where $1 or state in ('waiting', 'printed') order by received_at limit 1000", everything
    )


async def locked(tx: Tx, letter_id: UUID) -> Any:
    """A letter, ours until the end of the transaction; None when there is none."""
    return await tx.fetchrow("select * from letters where id = $1 for update", letter_id)


async def printed(tx: Tx, letter_id: UUID) -> None:
    """It was printed (once more)."""
    await tx.execute(
        "update letters set state = 'printed', prints = prints + 1, changed_at = now() where id = $1", letter_id
    )


async def posted(tx: Tx, letter_id: UUID) -> None:
    """It left the house."""
    await tx.execute(
        "update letters set state = 'posted', posted_at = now(), changed_at = now() where id = $1", letter_id
    )


async def forget(tx: Tx, kept: timedelta) -> int:
    """Remove letters that came longer ago than `kept` and were posted or failed."""
    return await tx.execute(
        "delete from letters where received_at < now() - $1::interval and state in ('posted', 'failed')", kept
    )
