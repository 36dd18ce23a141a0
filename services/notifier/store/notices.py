"""お知らせ: what NEXI published and withdrew; the later word wins, however the messages arrive."""

from datetime import datetime
from typing import Any

from chassis.sql import Reader, Tx
from contracts.nexi import NoticePublished

SHOWN = "not withdrawn and published_from <= $1 and (published_until is null or published_until > $1)"


async def publish(tx: Tx, notice: NoticePublished) -> bool:
    """Show a notice in its period; False when something later was heard about it."""
    return bool(
        await tx.execute(
            """
            insert into notices (notice_id, issued_at, title, body, published_from, published_until, withdrawn)
            values ($1, $2, $3, $4, $5, $6, false)
            on conflict (notice_id) do update
               set issued_at = excluded.issued_at, title = excluded.title, body = excluded.body, withdrawn = false,
                   published_from = excluded.published_from, published_until = excluded.published_until
             where notices.issued_at < excluded.issued_at
            """,
            notice.notice_id, notice.issued_at, notice.title, notice.body, notice.published_from,
            notice.published_until,
        )
    )  # fmt: skip


async def withdraw(tx: Tx, notice_id: str, issued_at: datetime) -> bool:
    """Show a notice no more; False when something later was heard about it."""
    return bool(
        await tx.execute(
            """
            insert into notices (notice_id, issued_at, title, body, withdrawn) values ($1, $2, '', '', true)
            on conflict (notice_id) do update set issued_at = excluded.issued_at, withdrawn = true
             where notices.issued_at < excluded.issued_at
            """,
            notice_id, issued_at,
        )
    )  # fmt: skip


async def shown(reader: Reader, now: datetime, limit: int) -> list[Any]:
    """The notices published at a moment, newest first, without their text."""
    return await reader.fetch(
        f"select notice_id, title, published_from from notices where {SHOWN}"
        " order by published_from desc, issued_at desc, notice_id desc limit $2",
        now, limit,
    )  # fmt: skip


async def one(reader: Reader, notice_id: str, now: datetime) -> Any:
    """A notice published at a moment, or None."""
    return await reader.fetchrow(
        f"select notice_id, title, body, published_from from notices where {SHOWN} and notice_id = $2",
        now, notice_id,
    )  # fmt: skip
