"""NEXI's notices (N3)."""

from chassis.amqp import Listeners, Park
from chassis.sql import Tx
from contracts.nexi import FROM_THE_FUTURE, NoticePublished, NoticeWithdrawn
from notifier.store import notices

listeners = Listeners("notices")


@listeners.on(NoticePublished)
async def publish(message: NoticePublished, tx: Tx) -> None:
    """Show it in its period (R19)."""
    if message.is_from_the_future:
        raise Park(FROM_THE_FUTURE)
    await notices.publish(tx, message)


@listeners.on(NoticeWithdrawn)
async def withdraw(message: NoticeWithdrawn, tx: Tx) -> None:
    """Show it no more; not parked when it comes from the future, for it shall go at once."""
    await notices.withdraw(tx, message.notice_id, message.believable_issued_at)
