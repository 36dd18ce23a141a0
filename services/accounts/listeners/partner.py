"""What NEXI's systems say about policyholders."""

from datetime import datetime

from accounts.listeners.profiles import put_in_force, unknown_policyholder
from accounts.rules.profiles import in_force, tidy
from accounts.store import profiles
from chassis.amqp import Listeners, Park, wake
from chassis.sql import Tx
from contracts.nexi import FROM_THE_FUTURE, PolicyholderChanged, PolicyholderRegistered, Profile

partner = Listeners("partner")


@partner.on(PolicyholderRegistered)
async def register(message: PolicyholderRegistered, tx: Tx) -> None:
    """A policyholder comes into being with its profile (N1); registered again, it is a newer statement or none."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    code = message.policyholder_code
    if await profiles.register(tx, code, tidy(message.profile), message.issued_at):
        await put_in_force(tx, code, source="registration")
        await wake(tx, unknown_policyholder(code))
    else:
        await _restate(tx, code, message.profile, message.issued_at)


@partner.on(PolicyholderChanged)
async def change(message: PolicyholderChanged, tx: Tx) -> None:
    """NEXI changed the profile by itself; of two statements the one issued later counts, however they arrive."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    await _restate(tx, message.policyholder_code, message.profile, message.issued_at)


async def _restate(tx: Tx, code: str, profile: Profile, issued_at: datetime) -> None:
    held = await profiles.hold(tx, code)
    if held is None:
        raise Park("the policyholder is not registered yet", retry=True, key=unknown_policyholder(code))
    if issued_at <= held.stated_at:
        return
    before = in_force(held.profile, held.stated_at, await profiles.applied_changes(tx, code, held.stated_at))
    after = in_force(tidy(profile), issued_at, await profiles.applied_changes(tx, code, issued_at))
    await profiles.restate(tx, code, tidy(profile), issued_at)
    if after != before:
        await put_in_force(tx, code, source="nexi")
