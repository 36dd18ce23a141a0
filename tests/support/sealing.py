"""A notifier's sealing key that tests know, so that secrets on their way to people can be read."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chassis.seals import unseal
from contracts.notifier import SealingKey, SealingKeysPublished, SealingPurpose, SendLetter, SendMail

_PRIVATE = X25519PrivateKey.from_private_bytes(b"a key that only tests may use..!")
PUBLIC = _PRIVATE.public_key().public_bytes_raw()


def published() -> SealingKeysPublished:
    """What the notifier would say about the key: good for a day, for codes and for passwords."""
    now = datetime.now(UTC)
    return SealingKeysPublished(
        keys=tuple(
            SealingKey(
                key_id=f"test-{purpose}",
                purpose=purpose,
                public_key=base64.b64encode(PUBLIC).decode(),
                use_from=now - timedelta(minutes=1),
                use_until=now + timedelta(days=1),
            )
            for purpose in SealingPurpose
        )
    )


def secret_of(envelope: dict[str, Any]) -> str:
    """The secret in a heard SendMail or SendLetter."""
    kind = SendMail if envelope["type"] == SendMail.wire_type() else SendLetter
    command = kind.model_validate(envelope["data"])
    assert command.secret is not None
    return unseal(command.secret, private_key=_PRIVATE, place=command.place())
