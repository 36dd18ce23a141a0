"""The policyholder's name as its profile has it, for the header of every page (R10, R11)."""

from chassis.amqp import Listeners, Park
from chassis.sql import Tx
from contracts.accounts import ProfileChanged
from identity.listeners import keys
from identity.store import companies

listeners = Listeners("profiles")


@listeners.on(ProfileChanged)
async def rename(message: ProfileChanged, tx: Tx) -> None:
    """The greatest version's name counts."""
    if await companies.find(tx, message.policyholder_code) is None:
        raise Park("the policyholder is not registered yet", retry=True, key=keys.company(message.policyholder_code))
    await companies.set_name(tx, message.policyholder_code, message.profile.name, message.version)
