"""NEXI's notices (N3)."""

from chassis.amqp import Listeners
from chassis.sql import Tx
from contracts.nexi import NoticePublished, NoticeWithdrawn
from notifier.store import notices

listeners = Listeners("notices")


@listeners.on(NoticePublished)
async def publish(message: NoticePublished, tx: Tx) -> None:
    """Show it in its period (R19)."""
    await notices.publish(tx, message)


@listeners.on(NoticeWithdrawn)
async def withdraw(message: NoticeWithdrawn, tx: Tx) -> None:
    """Show it no more."""
    await notices.withdraw(tx, message.notice_id, message.issued_at)
