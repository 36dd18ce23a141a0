"""Telling the notifier where mail reaches a user: at creation and with each change of name, address or state."""

from chassis.sql import Tx
from contracts.identity import AddressChanged
from identity.store.users import User


def announce(tx: Tx, user: User) -> None:
    """Say it with the commit; the user's version orders what is said."""
    tx.emit(
        AddressChanged(
            policyholder_code=user.policyholder_code,
            user_id=user.user_id,
            role=user.role,
            name=user.name,
            address=user.email,
            enabled=user.enabled,
            version=user.version,
        )
    )
