"""The notifier's public keys, so that secrets can be sealed for it alone (law 6)."""

import base64
import binascii

from chassis.amqp import Listeners, wake
from chassis.messages import Received, Unreadable
from chassis.sql import Tx
from contracts.notifier import SealingKey, SealingKeysPublished
from identity.listeners import keys
from identity.store import sealing_keys

listeners = Listeners("sealing-keys")

X25519_BYTES = 32


@listeners.on(SealingKeysPublished)
async def keep(message: SealingKeysPublished, received: Received[SealingKeysPublished], tx: Tx) -> None:
    """Seal with these from now on, unless later ones were heard before; what waited for a key goes on."""
    await sealing_keys.replace(
        tx, [(one.key_id, one.purpose, _raw(one), one.use_from, one.use_until) for one in message.keys], received.time
    )
    await wake(tx, keys.SEALING)


def _raw(key: SealingKey) -> bytes:
    try:
        raw = base64.b64decode(key.public_key, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != X25519_BYTES:
        raise Unreadable("keys.public_key: not an X25519 key in base64")
    return raw
