"""The letter that brings an administrator the first password (R65, N1)."""

from uuid import UUID

from chassis.seals import Sealed
from chassis.sql import Tx
from contracts.notifier import SealingPurpose, SendLetter
from identity.credentials import Temporary, seal_for_notifier
from identity.store.users import User

UNSEALED = Sealed(key_id="", ciphertext="")


async def send_letter(tx: Tx, company: str, postal_code: str, address: str, user: User, temporary: Temporary) -> UUID:
    """Order the letter with the commit. Raises NoSealingKey."""
    letter = SendLetter(
        policyholder_code=user.policyholder_code,
        about_user_id=user.user_id,
        company=company,
        postal_code=postal_code,
        address=address,
        addressee=user.name,
        secret=UNSEALED,
        not_after=temporary.expires_at,
    )
    sealed = await seal_for_notifier(tx, SealingPurpose.PASSWORD, temporary.password, letter.place())
    return tx.emit(letter.model_copy(update={"secret": sealed}))
