"""Web申込状況一覧: searched, filtered, sorted, by page; and what NEXI's systems and operators list."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from applications.rules.lifecycle import State
from applications.rules.scopes import Scope
from applications.store.applications import VISIBLE
from applications.store.rows import COLUMNS, WITHOUT_CONTENTS, Application, application
from chassis.sql import Reader

SORTS = {
    "number": "day {way}, serial {way}",
    "saved_at": "saved_at {way}, day {way}, serial {way}",
    "submitted_at": "submitted_at {way} nulls last, day {way}, serial {way}",
    "procedure": "procedure {way}, day {way}, serial {way}",
    "state": "state {way}, day {way}, serial {way}",
}


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to; None leaves open. Days are of submission, by Japan time, both included."""

    number: str | None = None
    procedures: list[str] | None = None
    states: list[State] | None = None
    applied_from: date | None = None
    applied_to: date | None = None
    user_id: str | None = None


async def search(
    reader: Reader,
    scope: Scope,
    now: datetime,
    narrowed: Filter,
    *,
    sort: str,
    descending: bool,
    offset: int,
    limit: int,
) -> tuple[int, list[Application]]:
    """How many there are, and one page of them, without contents. `sort` is a key of SORTS. Withdrawn drafts are not
    listed (P4)."""
    where = f"""
        {VISIBLE} and state <> 'withdrawn'
        and ($5::text is null or starts_with(number, $5)) and ($6::text[] is null or procedure = any($6))
        and ($7::text[] is null or state = any($7))
        and ($8::date is null or (submitted_at at time zone 'Asia/Tokyo')::date >= $8)
        and ($9::date is null or (submitted_at at time zone 'Asia/Tokyo')::date <= $9)
        and ($10::text is null or created_by = $10 or submitted_by = $10)
    """
    arguments = (
        scope.codes, scope.user_id, scope.session_id, now, narrowed.number, narrowed.procedures, narrowed.states,
        narrowed.applied_from, narrowed.applied_to, narrowed.user_id,
    )  # fmt: skip
    order = SORTS[sort].format(way="desc" if descending else "asc")
    total: int = await reader.fetchval(f"select count(*) from applications where {where}", *arguments)
    rows = await reader.fetch(
        f"select {WITHOUT_CONTENTS} from applications where {where} order by {order} offset $11 limit $12",
        *arguments, offset, limit,
    )  # fmt: skip
    return total, _applications(rows)


async def waiting(reader: Reader, before: datetime, limit: int) -> list[Application]:
    """Submitted before that moment and still without an outcome, oldest first; without contents."""
    return _applications(
        await reader.fetch(
            f"""
            select {WITHOUT_CONTENTS} from applications
             where state = 'submitted' and submitted_at < $1 order by submitted_at, number limit $2
            """,
            before, limit,
        )
    )  # fmt: skip


async def count_waiting(reader: Reader, before: datetime) -> int:
    """How many `waiting` would list."""
    count: int = await reader.fetchval(
        "select count(*) from applications where state = 'submitted' and submitted_at < $1", before
    )
    return count


async def handed_in(
    reader: Reader, procedures: list[str], after: str, limit: int, most_bytes: int
) -> list[Application]:
    """Of these procedures what is submitted and has no outcome yet, in a fixed order, beyond the number `after`.

    Ends with the content that takes all of them to `most_bytes`: never empty while something is waiting.
    """
    return _applications(
        await reader.fetch(
            f"""
            select {COLUMNS} from (
                select *, sum(octet_length(content::text)) over (order by number collate "C")
                          - octet_length(content::text) as bytes_before
                  from (select * from applications
                         where state = 'submitted' and procedure = any($1) and number > $2 collate "C"
                         order by number collate "C" limit $3) as page
            ) as measured
             where bytes_before < $4 order by number collate "C"
            """,
            procedures, after, limit, most_bytes,
        )
    )  # fmt: skip


def _applications(rows: list[Any]) -> list[Application]:
    return [found for row in rows if (found := application(row)) is not None]
