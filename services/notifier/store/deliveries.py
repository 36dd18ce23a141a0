"""Mails on their way: claimed, ended, recovered from a process that died, lapsed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from chassis.sql import KEEPALIVES, Database, Reader, Tx

ANSWER_SECONDS = 20.0


class End(StrEnum):
    """How an attempt ended. All but the last two are states of a mail."""

    SENT = "sent"
    RETRYING = "retrying"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    RELEASED = "released"
    """Nothing was tried (no connection): due again, and the attempt does not count."""
    RETURNED = "returned"
    """Nobody had the time to try: as it was before."""


@dataclass(frozen=True)
class Claimed:
    """A mail that this process is about to send."""

    id: UUID
    template: str
    recipient: str
    facts: dict[str, Any] = field(repr=False)
    secret: dict[str, str] | None = field(repr=False)
    secret_place: list[str] | None
    asked_at: datetime
    not_after: datetime
    supersedes: str | None
    attempts: int
    unknown_ends: int
    resent: int
    urgency: int


@dataclass(frozen=True)
class Ended:
    """What became of an attempt; `pause` until the next one, None for never."""

    id: UUID
    end: End
    reason: str = ""
    pause: timedelta | None = None
    refused_address: bool = False


CLAIM = """
with fresh as (
    select id, recipient, place from mails waiting
     where due_at is not null and due_at <= now() and not_after > now() and attempts = 0
       and not exists (select from mails where state = 'sending' and recipient = waiting.recipient)
     order by urgency, due_at limit $2 for update skip locked
), again as (
    select id, recipient, place from mails waiting
     where due_at is not null and due_at <= now() and not_after > now() and attempts > 0
       and not exists (select from mails where state = 'sending' and recipient = waiting.recipient)
     order by due_at limit $3 for update skip locked
), first as (
    select distinct on (recipient) id
      from (select * from fresh union all select * from again) as next order by recipient, place
)
update mails set state = 'sending', sender = $1, due_at = null, attempts = attempts + 1, changed_at = now()
  from first where mails.id = first.id
returning mails.id, template, mails.recipient, facts, secret, secret_place, asked_at, not_after, supersedes, attempts,
          unknown_ends, resent, urgency
"""


async def claim(database: Database, sender: int, fresh: int, again: int) -> list[Claimed]:
    """Due mails: up to `fresh` that were not tried before and up to `again` that were, the urgent ones first.

    At most one for each recipient: a bad address occupies one sender, not all.
    """
    rows = await database.fetch(CLAIM, sender, fresh, again)
    rows.sort(key=lambda row: (row["urgency"], row["asked_at"]))
    return [Claimed(*row.values()) for row in rows]


async def held(reader: Reader, sender: int) -> list[UUID]:
    """The mails that a process is sending."""
    rows = await reader.fetch("select id from mails where sender = $1 and state = 'sending'", sender)
    return [row["id"] for row in rows]


async def settle(tx: Tx, sender: int, ended: Sequence[Ended]) -> list[Any]:
    """Write down how attempts ended; answers id, state, reason and whom it was about, of those that were still ours."""
    return await tx.fetch(
        """
        update mails
           set state = case when overtaken and ended.state not in ('sent', 'failed', 'expired') then 'superseded'
                            when unknown_ends > 0 and ended.state not in ('sent', 'failed') then 'unknown'
                            when ended.state = 'returned' and attempts = 1 then 'received'
                            when ended.state in ('returned', 'released') then 'retrying' else ended.state end,
               reason = case when ended.state = 'returned' then mails.reason else ended.reason end,
               due_at = case when not overtaken then now() + ended.pause end,
               attempts = attempts - (ended.state in ('returned', 'released'))::integer,
               unknown_ends = unknown_ends + (ended.state = 'unknown')::integer,
               accepted_at = case when ended.state = 'sent' then now() else accepted_at end,
               sender = null, changed_at = now()
          from unnest($2::uuid[], $3::text[], $4::text[], $5::interval[]) as ended (id, state, reason, pause)
         where mails.id = ended.id and mails.sender = $1 and mails.state = 'sending'
        returning mails.id, template, policyholder_code, about_user_id, recipient, mails.state, mails.reason,
                  accepted_at, exists (select from failing_addresses where address = lower(recipient)) as failing
        """,
        sender,
        [one.id for one in ended],
        [one.end for one in ended],
        [one.reason[:500] for one in ended],
        [one.pause for one in ended],
    )


async def still_wanted(reader: Reader, mail_id: UUID, sender: int) -> bool:
    """Whether this process is still the one that is sending a mail, and no newer mail has superseded it."""
    query = "select not overtaken from mails where id = $1 and sender = $2 and state = 'sending'"
    return bool(await reader.fetchval(query, mail_id, sender))


async def lapse(tx: Tx) -> list[Any]:
    """Mails whose deadline has passed are not sent any more; answers them.

    One that the relay may have had stays `unknown`: nobody may say that it was not sent.
    """
    return await tx.fetch(
        """
        update mails set state = case when unknown_ends > 0 then 'unknown' else 'expired' end, due_at = null,
               changed_at = now(),
               reason = 'the deadline has passed' || case when reason = '' then '' else '; last: ' || reason end
         where id in (select id from mails where due_at is not null and not_after <= now()
                       order by not_after limit 500 for update skip locked)
        returning id, template, policyholder_code, about_user_id, state, reason
        """
    )


async def senders(connection: Any) -> list[int]:
    """The processes that are sending something, or died while they were."""
    rows = await connection.fetch("select distinct sender from mails where state = 'sending'")
    return [row["sender"] for row in rows]


async def recover(tx: Tx, sender: int, pause: timedelta, repeats: Mapping[str, int]) -> list[Any]:
    """Nobody knows how the mails of a dead process ended: they are sent again, as often as `repeats` of their template.

    Does nothing while the process lives (it holds the lock). Answers the mails.
    """
    if not await tx.fetchval("select pg_try_advisory_xact_lock($1)", sender):
        return []
    return await tx.fetch(
        """
        update mails
           set state = case when overtaken then 'superseded' else 'unknown' end, reason = 'its sender died',
               sender = null, changed_at = now(), unknown_ends = unknown_ends + 1,
               due_at = case when not overtaken and unknown_ends < ($3::jsonb ->> template)::integer
                             then now() + $2::interval end
         where sender = $1 and state = 'sending'
        returning id, template, policyholder_code, about_user_id, state, reason
        """,
        sender, pause, repeats,
    )  # fmt: skip


async def connect_for_life(dsn: str) -> Any:
    """A connection outside the pool: it holds this process' lock and hears of new mails, as long as it lives.

    A machine that vanished without a word loses its lock after some 20 s; one that asks in vain gives up earlier.
    """
    told = {"application_name": "notifier senders", **KEEPALIVES}
    return await asyncpg.connect(dsn, timeout=5, command_timeout=ANSWER_SECONDS, server_settings=told)


async def hold(connection: Any, sender: int) -> None:
    """Tell the other processes that this one lives."""
    await connection.execute("select pg_advisory_lock($1)", sender)


async def counts(database: Database) -> list[Any]:
    """How many mails are in each state that an operator watches."""
    return await database.fetch(
        """
        select state, count(*) as mails from mails
         where state in ('received', 'sending', 'retrying', 'unknown', 'failed') group by state
        """
    )
