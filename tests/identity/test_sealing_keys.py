"""Secrets are sealed to the keys that the notifier said last, whatever is heard again or late."""

from datetime import UTC, datetime, timedelta

from chassis.messages import Envelope, Received, new_id
from chassis.sql import Database, Tx
from contracts.notifier import SealingKeysPublished
from identity.listeners import sealing_keys
from tests.support import sealing

NOW = datetime.now(UTC)


def said(name: str) -> SealingKeysPublished:
    """What the notifier says, told apart by the keys' ids."""
    keys = sealing.published().keys
    return SealingKeysPublished(keys=tuple(one.model_copy(update={"key_id": f"{name}-{one.purpose}"}) for one in keys))


async def hear(tx: Tx, name: str, at: datetime) -> None:
    """As if it had come over the broker."""
    message = said(name)
    await sealing_keys.keep(message, Received(message, Envelope(new_id(), message.wire_type(), "/notifier", at)), tx)


async def known(tx: Tx) -> set[str]:
    """Whose keys are sealed to."""
    return {row["key_id"].partition("-")[0] for row in await tx.fetch("select key_id from sealing_keys")}


class _Undone(Exception):
    """Other tests go on with the keys that there were."""


async def test_keys_that_were_said_earlier_replace_nothing_when_they_are_heard_later(behind: Database) -> None:
    try:
        async with behind.transaction() as tx:
            await tx.execute("delete from sealing_keys")
            for name, at, expected in (
                ("first", NOW - timedelta(minutes=6), "first"),
                ("third", NOW, "third"),
                ("second", NOW - timedelta(minutes=3), "third"),
                ("third", NOW, "third"),
                ("ahead", NOW + timedelta(hours=2), "ahead"),
                ("right", datetime.now(UTC) + timedelta(seconds=1), "right"),
            ):
                await hear(tx, name, at)
                assert await known(tx) == {expected}
            raise _Undone
    except _Undone:
        pass
