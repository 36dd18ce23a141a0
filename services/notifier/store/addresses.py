"""Where mail reaches somebody, now and at any moment before; and which addresses mail does not reach.

Capital and small letters are the same in an address.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.sql import Reader, Tx
from contracts.identity import AddressChanged
from contracts.permissions import Role
from notifier.mails.names import OwnTemplate


async def learn(tx: Tx, changed: AddressChanged, at: datetime) -> bool:
    """Remember an address and since when; False when this version is known already."""
    return bool(
        await tx.execute(
            """
            insert into addresses (user_id, version, policyholder_code, role, name, address, enabled, valid_from)
            values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing
            """,
            changed.user_id, changed.version, changed.policyholder_code, changed.role, changed.name, changed.address,
            changed.enabled, at,
        )
    )  # fmt: skip


async def administrator(reader: Reader, policyholder_code: str, at: datetime) -> Any:
    """The administrator as of a moment (user_id, address, enabled), or None.

    A moment before anything was heard gets the first that was: whoever submitted something had an administrator.
    """
    return await reader.fetchrow(
        """
        select user_id, address, enabled from addresses
         where policyholder_code = $1 and role = $3
         order by valid_from <= $2 desc, case when valid_from <= $2 then -version else version end limit 1
        """,
        policyholder_code, at, Role.ADMINISTRATOR,
    )  # fmt: skip


async def correct_unsent(tx: Tx, policyholder_code: str) -> int:
    """Mails to the administrator that wait still go where the administrator was reached when they were asked for.

    For news of an address that was late: another service said it before, but it arrived after the application's event.
    """
    return await tx.execute(
        """
        update mails
           set recipient = right_one.address, changed_at = now()
          from mails waiting
          cross join lateral (
                 select address from addresses
                  where addresses.policyholder_code = waiting.policyholder_code and role = $2
                    and valid_from <= waiting.asked_at
                  order by version desc limit 1) right_one
         where mails.id = waiting.id and waiting.policyholder_code = $1 and waiting.template = any($3)
           and waiting.due_at is not null and waiting.recipient <> right_one.address
        """,
        policyholder_code, Role.ADMINISTRATOR, list(OwnTemplate),
    )  # fmt: skip


CURRENT = """
select distinct on (user_id) user_id, policyholder_code, name, address, enabled
  from addresses where user_id in (select user_id from addresses where lower(address) = any($1))
 order by user_id, version desc
"""


async def mark_failing(tx: Tx, addresses: Sequence[str], cause: str, reason: str) -> list[Any]:
    """Note that mail does not reach these addresses; answers the users who have them now and were not marked before."""
    fresh = await tx.fetch(
        """
        insert into failing_addresses (address, cause, reason)
        select address, $2, $3 from unnest($1::text[]) as given (address)
        on conflict (address) do update
           set times = failing_addresses.times + 1, last_at = now(), reason = excluded.reason,
               cause = case when excluded.cause = 'bounced' then 'bounced' else failing_addresses.cause end
        returning address, times
        """,
        sorted({address.lower() for address in addresses}), cause, reason[:500],
    )  # fmt: skip
    return await _users(tx, [row["address"] for row in fresh if row["times"] == 1])


async def mark_reached(tx: Tx, addresses: Sequence[str], cause: str | None) -> list[Any]:
    """Mail reaches these addresses again, if they were marked for this cause (None: any); answers their users."""
    cleared = await tx.fetch(
        "delete from failing_addresses where address = any($1) and ($2::text is null or cause = $2) returning address",
        [address.lower() for address in addresses], cause,
    )  # fmt: skip
    return await _users(tx, [row["address"] for row in cleared]) if cleared else []


async def is_failing(reader: Reader, address: str) -> bool:
    """Whether mail does not reach this address."""
    query = "select exists (select from failing_addresses where address = lower($1))"
    return bool(await reader.fetchval(query, address))


async def present(reader: Reader, user_id: str) -> str | None:
    """The address that a user has now, as far as we know."""
    query = "select address from addresses where user_id = $1 order by version desc limit 1"
    address: str | None = await reader.fetchval(query, user_id)
    return address


async def failing(reader: Reader, policyholder_code: str | None = None, limit: int = 1000) -> list[Any]:
    """Users whose present address mail does not reach, with since when and why."""
    return await reader.fetch(
        """
        select latest.policyholder_code, latest.user_id, latest.name, latest.address,
               cause, reason, times, since, last_at
          from failing_addresses
          join lateral (
                 select distinct user_id from addresses
                  where lower(addresses.address) = failing_addresses.address) had on true
          join lateral (
                 select * from addresses now where now.user_id = had.user_id order by version desc limit 1) latest
               on lower(latest.address) = failing_addresses.address
         where $1::text is null or latest.policyholder_code = $1
         order by since desc, latest.user_id limit $2
        """,
        policyholder_code, limit,
    )  # fmt: skip


async def _users(reader: Reader, addresses: Sequence[str]) -> list[Any]:
    return [row for row in await reader.fetch(CURRENT, addresses) if row["address"].lower() in addresses]
