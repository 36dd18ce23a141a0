"""What accounts says: profiles in force, and what became of account procedures."""

from applications import outcomes
from applications.settings import Clock
from applications.store import profiles
from chassis.amqp import Listeners
from chassis.sql import Tx
from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused, ProfileChanged

listeners = Listeners("accounts")


@listeners.on(ProfileChanged)
async def keep_profile(message: ProfileChanged, tx: Tx) -> None:
    """The replica for comparing and for telling 本店 from 支店."""
    await profiles.keep(tx, message.policyholder_code, message.version, message.profile.model_dump(mode="json"))


@listeners.on(AccountProcedureApplied)
async def account_applied(message: AccountProcedureApplied, tx: Tx, clock: Clock) -> None:
    """Complete, and wake the submission that waits for it (P7)."""
    await outcomes.complete_by_accounts(tx, message, clock.now())


@listeners.on(AccountProcedureRefused)
async def account_refused(message: AccountProcedureRefused, tx: Tx, clock: Clock) -> None:
    """Reject with the reason for the user, and wake the submission that waits for it."""
    await outcomes.reject_by_accounts(tx, message, clock.now())
