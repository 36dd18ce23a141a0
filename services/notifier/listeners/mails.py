"""Wishes for mails. Their recipient is in them, so they need not wait in line with the news of addresses."""

from chassis.amqp import Listeners
from chassis.messages import Received
from chassis.sql import Tx
from contracts.notifier import SendMail
from notifier.mails.catalogue import CATALOGUE, Broken, checked
from notifier.sending.records import say_failure
from notifier.store import mails
from notifier.store.mails import NewMail

listeners = Listeners("mails")


@listeners.on(SendMail)
async def write_down(message: SendMail, received: Received[SendMail], tx: Tx) -> None:
    """Keep the mail under the command's id; the senders do the rest. What cannot be sent is kept too, as failed."""
    mail = NewMail(
        id=received.id,
        template=message.template,
        policyholder_code=message.policyholder_code,
        about_user_id=message.about_user_id,
        recipient=message.recipient,
        facts=dict(message.facts),
        urgency=CATALOGUE[message.template].urgency,
        asked_at=received.time,
        not_after=message.not_after,
        secret=message.secret.model_dump() if message.secret else None,
        secret_place=message.place() if message.secret else None,
        supersedes=message.supersedes,
    )
    refused = _refusal(message)
    state = await mails.add(tx, mail, refused)
    if state is None:
        return
    if message.supersedes is not None:
        for row in await mails.supersede(tx, message.supersedes, received.time):
            say_failure(tx, row)
    if state != "received":
        say_failure(tx, await mails.one(tx, mail.id))


def _refusal(message: SendMail) -> str:
    try:
        checked(message.template, message.facts)
    except Broken as reason:
        return str(reason)
    if (CATALOGUE[message.template].sample_secret is None) != (message.secret is None):
        return "secret: missing" if message.secret is None else "secret: this mail carries none"
    return ""
