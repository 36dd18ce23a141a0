"""Mails: written down when asked for, found by operators, sent again on their word."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx
from contracts.permissions import Role
from notifier.mails.names import TO_THE_ADMINISTRATOR

COLUMNS = """place, id, template, policyholder_code, about_user_id, application_number, recipient, asked_at, not_after,
    state, due_at, attempts, unknown_ends, resent, reason, received_at, changed_at, accepted_at,
    secret is not null as sealed"""


@dataclass(frozen=True)
class NewMail:
    """A mail as it is asked for. `secret` stays sealed; `secret_place` is what the seal is bound to."""

    id: UUID
    template: str
    policyholder_code: str
    about_user_id: str
    recipient: str
    facts: dict[str, Any]
    urgency: int
    asked_at: datetime
    not_after: datetime
    application_number: str | None = None
    secret: dict[str, str] | None = field(default=None, repr=False)
    secret_place: tuple[str, ...] | None = None
    supersedes: str | None = None
    due_at: datetime | None = None
    """None: at once."""


async def add(tx: Tx, mail: NewMail, refused: str = "") -> str | None:
    """Write a mail down and wake the senders with the commit; answers its state, or None when it is known already.

    With `refused` it is kept as failed. A sealed secret that another mail brought before is refused as a replay. Of the
    mails with the same `supersedes` only the one asked for last stays.
    """
    state: str | None = await tx.fetchval(
        """
        with judged as (
            select case
                     when $14::text <> '' then $14::text
                     when exists (select from mails
                                   where secret ->> 'ciphertext' = $11::jsonb ->> 'ciphertext' and id <> $1)
                     then 'replayed: its secret came in another mail before' else '' end as reason,
                   $13::text is not null and exists
                     (select from mails where supersedes = $13 and asked_at > $9 and id <> $1) as overtaken
        )
        insert into mails (id, template, policyholder_code, about_user_id, application_number, recipient, facts,
                           urgency, asked_at, not_after, secret, secret_place, supersedes, state, reason, due_at)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
               case when reason = '' then $11::jsonb end, $12, $13,
               case when reason <> '' then 'failed' when overtaken then 'superseded' else 'received' end, reason,
               case when reason = '' and not overtaken then coalesce($15, now()) end
          from judged
        on conflict (id) do nothing
        returning state
        """,
        mail.id, mail.template, mail.policyholder_code, mail.about_user_id, mail.application_number, mail.recipient,
        mail.facts, mail.urgency, mail.asked_at, mail.not_after, mail.secret, mail.secret_place, mail.supersedes,
        refused, mail.due_at,
    )  # fmt: skip
    if state == "received":
        await tx.execute("select pg_notify('mails', '')")
    return state


async def supersede(tx: Tx, word: str, asked_at: datetime) -> list[Any]:
    """Unsent mails with this word that were asked for earlier are not sent any more; answers them.

    One that is being sent is marked too, and its sender asks before it hands over the text (see `still_wanted`).
    """
    return await tx.fetch(
        """
        update mails
           set state = case when state = 'sending' then state else 'superseded' end, overtaken = true,
               reason = 'a newer one was asked for', due_at = null, changed_at = now()
         where supersedes = $1 and asked_at < $2 and state in ('received', 'retrying', 'unknown', 'sending')
        returning id, template, policyholder_code, about_user_id, state, reason
        """,
        word, asked_at,
    )  # fmt: skip


async def one(reader: Reader, mail_id: UUID) -> Any:
    """A mail without its secret, or None."""
    return await reader.fetchrow(f"select {COLUMNS}, facts from mails where id = $1", mail_id)


async def concerned(reader: Reader, mail_id: UUID) -> dict[str, str]:
    """`policyholder_code` and `about_user_id` of a mail that exists."""
    row = await reader.fetchrow("select policyholder_code, about_user_id from mails where id = $1", mail_id)
    return dict(row)


async def search(
    reader: Reader,
    *,
    number: str | None = None,
    user_id: str | None = None,
    policyholder_code: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Any]:
    """Mails that fit everything given, newest first; `before` is the `place` of the last one already seen."""
    given = {
        "application_number = ": number,
        "about_user_id = ": user_id,
        "policyholder_code = ": policyholder_code,
        "state = ": state,
        "received_at >= ": since,
        "received_at < ": until,
        "place < ": before,
    }
    asked = [(test, value) for test, value in given.items() if value is not None]
    where = " and ".join(f"{test}${number}" for number, (test, _) in enumerate(asked, 2)) or "true"
    query = f"select {COLUMNS} from mails where {where} order by place desc limit $1"
    return await reader.fetch(query, limit, *(value for _, value in asked))


async def statistics(reader: Reader, since: datetime, until: datetime) -> list[Any]:
    """How many mails of each template that were asked for in a period are in each state, and how long sending took."""
    return await reader.fetch(
        """
        select template, state, count(*) as mails,
               percentile_cont(0.5) within group (order by extract(epoch from accepted_at - received_at))
                   filter (where accepted_at is not null) as median_seconds
          from mails where received_at >= $1 and received_at < $2
         group by template, state order by template, state
        """,
        since, until,
    )  # fmt: skip


async def waiting(reader: Reader) -> Any:
    """What is under way now: how many in each open state, and for how many seconds the oldest one has been due, and
    the longest one on its way."""
    return await reader.fetchrow(
        """
        select count(*) filter (where state = 'received') as received,
               count(*) filter (where state = 'retrying') as retrying,
               count(*) filter (where state = 'sending') as sending,
               count(*) filter (where state = 'unknown') as unknown,
               coalesce(extract(epoch from now() - min(received_at) filter (where due_at <= now())), 0)::float8
                 as oldest,
               coalesce(extract(epoch from now() - min(changed_at) filter (where state = 'sending')), 0)::float8
                 as longest_sending
          from mails where state in ('received', 'retrying', 'sending', 'unknown')
        """
    )


async def resend(tx: Tx, mail_id: UUID, not_after: datetime) -> bool:
    """Let a mail that has come to an end be sent once more.

    False when it is under way, a newer one has superseded it (sent or not), its secret has lapsed, or it is for
    somebody who is disabled (L8).

    The deadline of a mail without a secret moves to `not_after`; that of a secret never moves.
    """
    touched = await tx.execute(
        """
        update mails
           set state = 'received', due_at = now(), reason = '', resent = resent + 1, attempts = 0, unknown_ends = 0,
               overtaken = false, changed_at = now(),
               not_after = case when secret_place is null then greatest(not_after, $2) else not_after end
         where id = $1 and state in ('sent', 'failed', 'expired', 'unknown') and due_at is null
           and (secret_place is null or secret is not null and not_after > now())
           and (supersedes is null or not exists (select from mails newer
                 where newer.supersedes = mails.supersedes and newer.asked_at > mails.asked_at))
           and coalesce(case when template = any($3::text[])
                   then (select enabled from addresses
                          where addresses.policyholder_code = mails.policyholder_code and role = $4
                          order by version desc limit 1)
                   else (select enabled from addresses where user_id = about_user_id order by version desc limit 1)
                   end, true)
        """,
        mail_id, not_after, list(TO_THE_ADMINISTRATOR), Role.ADMINISTRATOR,
    )  # fmt: skip
    if touched:
        await tx.execute("select pg_notify('mails', '')")
    return bool(touched)


async def forget_secrets(tx: Tx) -> int:
    """Remove sealed secrets that may not be sent any more; their keys are destroyed, but why keep the noise."""
    return await tx.execute(
        """
        update mails set secret = null
         where id in (select id from mails
                       where secret is not null and not_after < now() - interval '1 hour' limit 5000)
        """
    )


async def forget(tx: Tx, kept: timedelta) -> int:
    """Remove mails that were asked for longer ago than `kept` and have ended; answers how many. Repeat until 0."""
    return await tx.execute(
        """
        delete from mails
         where place in (select place from mails
                          where received_at < now() - $1::interval and due_at is null and state <> 'sending'
                          limit 2000)
        """,
        kept,
    )
