"""Hears what became of mails: from when a confirmation link counts its 24 hours, and whose address fails."""

from uuid import UUID

from chassis.amqp import Listeners
from chassis.messages import Unreadable
from chassis.sql import Tx
from contracts.notifier import AddressFailing, MailAccepted, MailFailed, Template
from identity.store import email_changes

listeners = Listeners("mails")


@listeners.on(MailAccepted)
async def accepted(message: MailAccepted, tx: Tx) -> None:
    """The 24 hours of a link count from here (E2)."""
    if message.template == Template.EMAIL_CONFIRMATION:
        await email_changes.mail_accepted(tx, _id(message.mail_id), message.accepted_at)


@listeners.on(MailFailed)
async def failed(message: MailFailed, tx: Tx) -> None:
    """The administrator sees that the link will not arrive."""
    if message.template == Template.EMAIL_CONFIRMATION:
        await email_changes.mail_failed(tx, _id(message.mail_id))


@listeners.on(AddressFailing)
async def failing(message: AddressFailing, tx: Tx) -> None:
    """The administrator sees whose mail comes back."""
    if message.failing:
        await email_changes.note_failing(tx, message.user_id, message.policyholder_code)
    else:
        await email_changes.note_working(tx, message.user_id)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Unreadable("mail_id: not a UUID") from None
