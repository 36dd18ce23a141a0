"""What could not be handled: kept with its reason in the service's own database, tried again, shown, replayed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.messages import Envelope, encode_one
from chassis.sql import Reader, Tx

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 3600))


async def first_time(tx: Tx, listener: str, event_id: UUID) -> bool:
    """Remember that `listener` hears this event; False when it has heard it before."""
    return bool(
        await tx.execute("insert into inbox (listener, id) values ($1, $2) on conflict do nothing", listener, event_id)
    )


async def park(tx: Tx, listener: str, envelope: Envelope, reason: str, *, retry: bool, key: str | None = None) -> None:
    """Put an event aside: with `retry` it is tried again after growing pauses, else it waits for an operator."""
    await tx.execute(
        """
        insert into parked (listener, id, type, state, reason, key, next_try_at, body)
        values ($1, $2, $3, $4, $5, $6, case when $4 = 'retrying' then now() + $7::interval end, $8)
        on conflict do nothing
        """,
        listener, envelope.id, envelope.type, "retrying" if retry else "parked", _storable(reason),
        key and _storable(key), PAUSES[0], encode_one(envelope),
    )  # fmt: skip


async def quarantine(
    tx: Tx, listener: str, body: bytes, reason: str, envelope: Envelope | None = None, sender: str | None = None
) -> None:
    """Keep something unreadable, as it came, once however often it comes.

    With a `sender` it was not shown that what is in it is the sender's own to say.
    """
    await tx.execute(
        """
        insert into parked (listener, id, type, state, reason, body, digest, sender)
        values ($1, $2, $3, 'unreadable', $4, $5, sha256($5), $6)
        on conflict do nothing
        """,
        listener, envelope and envelope.id, envelope and envelope.type, _storable(reason), body, sender,
    )  # fmt: skip


async def claim_due(tx: Tx, listeners: Sequence[str]) -> Any:
    """Count a try of the next event whose pause is over, and set its next pause; None when there is none to be tried.

    One whose tries are used up (its last one never came to an end) is left to an operator.
    """
    await tx.execute(
        """
        update parked set state = 'parked', changed_at = now()
         where state = 'retrying' and next_try_at <= now() and attempts >= $2 and listener = any($1)
        """,
        listeners, len(PAUSES),
    )  # fmt: skip
    return await tx.fetchrow(
        """
        update parked
           set attempts = attempts + 1, changed_at = now(),
               next_try_at = now() + ($2::interval[])[least(attempts + 2, cardinality($2))]
         where number = (select number from parked
                          where state = 'retrying' and next_try_at <= now() and listener = any($1)
                          order by next_try_at, number limit 1 for update skip locked)
        returning *
        """,
        listeners, list(PAUSES),
    )  # fmt: skip


async def hold(tx: Tx, number: int) -> bool:
    """Lock a claimed event until the transaction ends; False when another process has it, or had it."""
    return bool(
        await tx.fetchval(
            "select true from parked where number = $1 and state = 'retrying' for update skip locked", number
        )
    )


async def done(tx: Tx, number: int) -> None:
    """The event was handled after all."""
    await tx.execute("update parked set state = 'replayed', changed_at = now() where number = $1", number)


async def failed(tx: Tx, number: int, reason: str, *, retry: bool) -> None:
    """Another try failed: the next pause, or, after the last one, an operator."""
    await tx.execute(
        """
        update parked
           set reason = $2, changed_at = now(),
               state = case when $3 and attempts < $4 then 'retrying' else 'parked' end
         where number = $1 and state = 'retrying'
        """,
        number, _storable(reason), retry, len(PAUSES),
    )  # fmt: skip


async def wake(tx: Tx, key: str) -> None:
    """What was parked under `key` (see `Park`) can be handled now: try it at once."""
    await tx.execute(
        """
        update parked set state = 'retrying', attempts = 0, next_try_at = now()
         where key = $1 and state in ('parked', 'retrying')
        """,
        _storable(key),
    )


async def replay(tx: Tx, numbers: Sequence[int] | None) -> int:
    """An operator lets these be tried again from the first pause; answers how many.

    None: all that are parked. What is unreadable must be named; of several with one id only the first is taken, and
    none while another one with that id is open.
    """
    return await tx.execute(
        """
        update parked set state = 'retrying', attempts = 0, next_try_at = now(), changed_at = now()
         where state = 'parked' and ($1::bigint[] is null or number = any($1))
            or state = 'unreadable' and number = any($1)
               and not exists (select from parked other
                                where other.listener = parked.listener and other.id = parked.id
                                  and (other.state in ('parked', 'retrying')
                                       or other.state = 'unreadable' and other.number = any($1)
                                          and other.number < parked.number))
        """,
        numbers,
    )


async def discard(tx: Tx, numbers: Sequence[int]) -> int:
    """An operator gives these up; they stay in the table. Answers how many."""
    return await tx.execute(
        "update parked set state = 'discarded', changed_at = now()"
        " where state in ('parked', 'unreadable', 'retrying') and number = any($1)",
        numbers,
    )


async def listing(reader: Reader, after: int = 0, limit: int = 100) -> list[Any]:
    """The open ones beyond the number `after`, oldest first."""
    return await reader.fetch(
        """
        select number, listener, id, type, state, reason, key, attempts, first_at, next_try_at, length(body) as bytes
          from parked where state in ('retrying', 'parked', 'unreadable') and number > $1 order by number limit $2
        """,
        after, limit,
    )  # fmt: skip


async def body(reader: Reader, number: int) -> Any:
    """One parked event with its body, or None."""
    return await reader.fetchrow(
        """
        select number, listener, id, type, state, reason, key, attempts, first_at, changed_at, next_try_at, sender, body
          from parked where number = $1
        """,
        number,
    )


def _storable(text: str) -> str:
    """Reasons and keys may quote what came from outside; PostgreSQL's text holds neither NUL nor lone surrogates."""
    return text[:1000].replace("\0", "?").encode(errors="replace").decode()
