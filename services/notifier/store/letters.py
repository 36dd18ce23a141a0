"""Letters for the mail room: waiting, printed, posted."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx


async def add(
    tx: Tx,
    letter_id: UUID,
    policyholder_code: str,
    about_user_id: str,
    company: str,
    not_after: datetime,
    refused: str = "",
) -> bool:
    """Write a letter down, to be printed by `not_after`; with `refused` it failed. False when it is known already."""
    return bool(
        await tx.execute(
            """
            insert into letters (id, policyholder_code, about_user_id, company, not_after, state, reason)
            values ($1, $2, $3, $4, $5, case when $6::text = '' then 'waiting' else 'failed' end, $6)
            on conflict do nothing
            """,
            letter_id, policyholder_code, about_user_id, company, not_after, refused,
        )
    )  # fmt: skip


async def known(reader: Reader, letter_id: UUID) -> bool:
    """Whether this letter has been written down."""
    return bool(await reader.fetchval("select exists (select from letters where id = $1)", letter_id))


async def listing(reader: Reader, everything: bool) -> list[Any]:
    """Letters that wait for posting, newest first; or all of them."""
    return await reader.fetch(
        "select * from letters where $1 or state in ('waiting', 'printed') order by received_at desc limit 1000",
        everything,
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


async def printable(reader: Reader) -> list[UUID]:
    """The letters whose sheet is still needed."""
    query = "select id from letters where state in ('waiting', 'printed') and not_after > now()"
    return [row["id"] for row in await reader.fetch(query)]


async def lapse(tx: Tx) -> list[Any]:
    """Letters that nobody printed before their password lapsed have failed; answers them as mails are told."""
    return await tx.fetch(
        """
        update letters set state = 'failed', reason = 'the deadline has passed', changed_at = now()
         where state = 'waiting' and not_after <= now()
        returning id, 'letter' as template, policyholder_code, about_user_id, state, reason
        """
    )


async def forget(tx: Tx, kept: timedelta) -> int:
    """Remove letters that came longer ago than `kept` and were posted or failed."""
    return await tx.execute(
        "delete from letters where received_at < now() - $1::interval and state in ('posted', 'failed')", kept
    )
