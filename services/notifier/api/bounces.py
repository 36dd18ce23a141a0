"""Addresses that mail does not reach: bounces come in here, operators look and clear."""

from pydantic import AwareDatetime, Field

from chassis.http import Body, NotFound, Routes, View
from chassis.sql import Database, Tx
from contracts import fields
from contracts.caller import Caller
from contracts.permissions import Permission
from notifier import deeds
from notifier.sending.records import say_failing
from notifier.store import addresses

routes = Routes(tag="bounces")


class Bounce(Body):
    """A mail came back, as the relay or the reader of the bounce mailbox reports it."""

    recipient: fields.EmailAddress
    reason: str = Field("", max_length=500, description="e.g. the enhanced status code and its text")


class FailingAddress(View):
    """A user whose present address mail does not reach. `cause`: refused by the relay, or bounced later."""

    policyholder_code: str
    user_id: str
    name: str
    address: str
    cause: str
    reason: str
    times: int
    since: AwareDatetime
    last_at: AwareDatetime


class FailingAddresses(View):
    """The newest first."""

    addresses: list[FailingAddress]


@routes.post("/bounces", needs=Permission.OPERATE)
async def take_bounce(body: Bounce, caller: Caller, tx: Tx) -> None:
    """Mark an address; the users who have it are told to their administrator's portal (AddressFailing)."""
    marked = await addresses.mark_failing(tx, [body.recipient], "bounced", body.reason)
    say_failing(tx, marked, failing=True)
    await deeds.record(tx, caller.operator, "bounce", body.recipient)


@routes.get("/failing-addresses", needs=Permission.OPERATE)
async def list_failing_addresses(database: Database) -> FailingAddresses:
    """All users with such an address."""
    return FailingAddresses(addresses=[FailingAddress(**row) for row in await addresses.failing(database)])


@routes.delete("/failing-addresses/{address}", needs=Permission.OPERATE, raises=[NotFound])
async def clear_address(address: fields.EmailAddress, caller: Caller, tx: Tx) -> None:
    """An operator knows that the address works again."""
    if not await addresses.is_failing(tx, address):
        raise NotFound
    say_failing(tx, await addresses.mark_reached(tx, [address], None), failing=False)
    await deeds.record(tx, caller.operator, "clear", address)


@routes.get("/company/failing-addresses", needs=Permission.ADMINISTER)
async def list_company_failing_addresses(caller: Caller, database: Database) -> FailingAddresses:
    """The same for the administrator's own company."""
    rows = await addresses.failing(database, caller.operator.policyholder_code)
    return FailingAddresses(addresses=[FailingAddress(**row) for row in rows])
