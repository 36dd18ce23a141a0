"""Secrets on their way to people: temporary passwords, and mails whose secret only the notifier can open."""

import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.http import Busy
from chassis.seals import Sealed, seal
from chassis.sql import Tx
from contracts.notifier import SealingPurpose, SendMail, Template
from identity.rules.temporary_passwords import temporary_password
from identity.secrets import Secrets
from identity.store import attempts, sealing_keys, temporary_passwords
from identity.store.users import User

TEMPORARY = "temporary password"


class Reason(StrEnum):
    """Why a temporary password was made."""

    INITIAL_LETTER = "initial_letter"
    INITIAL_MAIL = "initial_mail"
    REISSUE = "reissue"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Temporary:
    """A temporary password in clear: to be sealed at once and kept nowhere."""

    password: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Temporary(expires_at={self.expires_at!r})"


class NoSealingKey(Busy):
    """No key of the notifier is known yet, so no secret can leave; try again shortly."""


async def new_temporary_password(tx: Tx, secrets: Secrets, user_id: str, reason: Reason, life: timedelta) -> Temporary:
    """The one live temporary password from now on; ends a lock too (L1, L5)."""
    password = temporary_password(chance.choice)
    verifier = secrets.verifier(TEMPORARY, user_id, password)
    expires_at = await temporary_passwords.replace(tx, user_id, verifier, reason, life)
    await attempts.clear(tx, user_id)
    return Temporary(password, expires_at)


async def seal_for_notifier(tx: Tx, purpose: SealingPurpose, secret: str, place: Sequence[str]) -> Sealed:
    """Seal to the key that the notifier said is to be used now. Raises NoSealingKey."""
    key = await sealing_keys.usable(tx, purpose)
    if key is None:
        raise NoSealingKey
    return seal(secret, key_id=key["key_id"], public_key=key["public_key"], place=place)


async def send_mail(
    tx: Tx,
    template: Template,
    recipient: str,
    user: User,
    facts: Mapping[str, str],
    *,
    not_after: datetime,
    secret: str | None = None,
    purpose: SealingPurpose = SealingPurpose.PASSWORD,
    supersedes: str | None = None,
) -> UUID:
    """Order a mail about `user` with the commit; answers the id by which the notifier will speak of it.

    Raises NoSealingKey when there is a secret and no key to seal it with.
    """
    mail = SendMail(
        template=template,
        recipient=recipient,
        policyholder_code=user.policyholder_code,
        about_user_id=user.user_id,
        facts=dict(facts),
        not_after=not_after,
        supersedes=supersedes,
    )
    if secret is not None:
        sealed = await seal_for_notifier(tx, purpose, secret, mail.place())
        mail = mail.model_copy(update={"secret": sealed})
    return tx.emit(mail)
