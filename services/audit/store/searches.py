"""What a download would bring, and the searches whose answer a download then delivers exactly."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from audit.rules.windows import Window
from chassis.sql import Reader, Tx

View = Literal["history", "trail"]

_TOTALS = {
    "history": "sum(records) as records, sum(bytes) as bytes, sum(letters) as letters",
    "trail": "sum(trail_records) as records, sum(trail_bytes) as bytes, sum(trail_letters) as letters",
}
_RECORDS = {"history": "records", "trail": "trail_records"}


async def measure(reader: Reader, view: View, policyholder_code: str, user_id: str | None, window: Window) -> Any:
    """Records, bytes and letters in the window, and the row up to which they count: one statement, one snapshot."""
    return await reader.fetchrow(
        f"""
        select coalesce(records, 0)::bigint as records, coalesce(bytes, 0)::bigint as bytes,
               coalesce(letters, 0)::bigint as letters, log.rows as up_to
          from log, (select {_TOTALS[view]} from days
                      where policyholder_code = $1 and user_id = coalesce($2, '')
                        and day between $3 and $4) totals
        """,
        policyholder_code, user_id, window.first_day, window.last_day,
    )  # fmt: skip


async def user_ids(reader: Reader, policyholder_code: str, window: Window) -> list[Any]:
    """Every Web user ID with anything recorded in the window, and its last day: one look-up a user."""
    return await reader.fetch(
        """
        with recursive users as (
            (select user_id from days where policyholder_code = $1 and user_id > '' order by user_id limit 1)
            union all
            select (select user_id from days where policyholder_code = $1 and days.user_id > users.user_id
                     order by user_id limit 1)
              from users where users.user_id is not null
        )
        select users.user_id, last.day as last_day
          from users, lateral (select day from days
                                where policyholder_code = $1 and days.user_id = users.user_id
                                order by day desc limit 1) last
         where last.day >= $2
           and users.user_id ~ '^[0-9]{12}$'  -- Web users only: operators act in a company's name too
         order by users.user_id
        """,
        policyholder_code, window.first_day,
    )  # fmt: skip


async def users_with_records(reader: Reader, search: Any) -> list[Any]:
    """The users of a search and how many records each has, in the order of the file."""
    return await reader.fetch(
        f"""
        select user_id, sum({_RECORDS[search["view"]]})::bigint as records from days
         where policyholder_code = $1 and user_id > '' and ($2::text is null or user_id = $2) and day between $3 and $4
         group by user_id having sum({_RECORDS[search["view"]]}) > 0 order by user_id
        """,
        search["policyholder_code"], search["target_user_id"], search["first_day"], search["last_day"],
    )  # fmt: skip


async def days_with_records(reader: Reader, search: Any, user_id: str | None) -> list[Any]:
    """The days of a search (of one user) and how many records each has, in order."""
    return await reader.fetch(
        f"""
        select day, {_RECORDS[search["view"]]} as records from days
         where policyholder_code = $1 and user_id = coalesce($2, '') and day between $3 and $4
           and {_RECORDS[search["view"]]} > 0
         order by day
        """,
        search["policyholder_code"], user_id, search["first_day"], search["last_day"],
    )  # fmt: skip


async def keep(tx: Tx, search: dict[str, object]) -> None:
    """Remember a search; the keys are the columns."""
    names = ", ".join(search)
    places = ", ".join(f"${place}" for place in range(1, len(search) + 1))
    await tx.execute(f"insert into searches ({names}) values ({places})", *search.values())


async def find(reader: Reader, search_id: UUID, view: View, policyholder_code: str, asked_by: str) -> Any:
    """A search by the one who asked it, or None."""
    return await reader.fetchrow(
        "select * from searches where id = $1 and view = $2 and policyholder_code = $3 and asked_by = $4",
        search_id, view, policyholder_code, asked_by,
    )  # fmt: skip


async def forget(reader: Reader, age: timedelta) -> int:
    """Remove searches and reported keys that nobody will come back to."""
    await reader.execute("delete from reports where reported_at < now() - $1::interval", age)
    return await reader.execute("delete from searches where asked_at < now() - $1::interval", age)


async def keep_manifest(tx: Tx, search_id: UUID, manifest: dict[str, object]) -> None:
    """The statement about a file that was delivered whole; the same search delivers the same file."""
    await tx.execute(
        "insert into manifests (search_id, manifest) values ($1, $2) on conflict do nothing", search_id, manifest
    )


async def manifest(reader: Reader, search_id: UUID) -> Any:
    """The statement about the file of a search, or None when it was not delivered yet."""
    return await reader.fetchval("select manifest from manifests where search_id = $1", search_id)


async def report(tx: Tx, policyholder_code: str, user_id: str, key: str, operation: str, event_id: UUID) -> Any:
    """Remember what was reported under a key; answers the earlier report of that key, or None for the first."""
    first = await tx.execute(
        """
        insert into reports (policyholder_code, user_id, key, operation, event_id) values ($1, $2, $3, $4, $5)
            on conflict do nothing
        """,
        policyholder_code, user_id, key, operation, event_id,
    )  # fmt: skip
    if first:
        return None
    return await tx.fetchrow(
        "select operation, event_id from reports where policyholder_code = $1 and user_id = $2 and key = $3",
        policyholder_code, user_id, key,
    )  # fmt: skip


async def latest(
    reader: Reader, policyholder_code: str, user_id: str, before: tuple[datetime, int] | None, most: int
) -> list[Any]:
    """One user's newest rows, newest first; those before a moment and number."""
    return await reader.fetch(
        """
        select performed_at, number, type, operation, outcome, source_address, session_id from history
         where policyholder_code = $1 and user_id = $2
           and performed_at <= $3 and (performed_at, number) < ($3, $4)
         order by performed_at desc, number desc limit $5
        """,
        policyholder_code, user_id, *(before or (datetime.max.replace(tzinfo=UTC), 0)), most,
    )  # fmt: skip
