"""Wishes for letters: the secret is opened once, and only the encrypted sheet stays."""

import asyncio
from datetime import UTC, datetime

from chassis.amqp import Listeners
from chassis.messages import Received
from chassis.sql import Tx
from contracts.notifier import SendLetter
from notifier.keys import KeyRing, NotOpened
from notifier.letters.sheets import Letter, draw
from notifier.letters.spool import Spool
from notifier.sending.records import say_failure
from notifier.store import letters

listeners = Listeners("letters")


@listeners.on(SendLetter)
async def put_in_spool(
    message: SendLetter, received: Received[SendLetter], tx: Tx, ring: KeyRing, spool: Spool
) -> None:
    """Draw the sheet, encrypt it, write it down (R65, N1). What cannot be drawn is kept as failed."""
    if await letters.known(tx, received.id):
        return
    now = datetime.now(UTC)
    refused = "the deadline has passed" if now >= message.not_after else ""
    try:
        password = ring.open(message.secret, message.place(), now) if not refused else ""
    except NotOpened as reason:
        refused = str(reason)
    if refused:
        say_failure(
            tx,
            {
                "id": received.id, "template": "letter", "policyholder_code": message.policyholder_code,
                "about_user_id": message.about_user_id, "state": "failed", "reason": refused,
            },
        )  # fmt: skip
    else:
        letter = Letter(
            message.postal_code, message.address, message.company, message.addressee, message.about_user_id,
            password, now,
        )  # fmt: skip
        sheet = await asyncio.to_thread(draw, letter)
        await asyncio.to_thread(spool.put, received.id, sheet)
    await letters.add(
        tx, received.id, message.policyholder_code, message.about_user_id, message.company, message.not_after, refused
    )
