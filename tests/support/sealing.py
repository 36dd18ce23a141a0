"""A notifier's sealing key that tests know, so that secrets on their way to people can be read."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chassis.seals import unseal
from chassis.sql import Database
from contracts.notifier import SealingKey, SealingKeysPublished, SealingPurpose, SendLetter, SendMail

_PRIVATE = X25519PrivateKey.from_private_bytes(b"a key that only tests may use..!")
PUBLIC = _PRIVATE.public_key().public_bytes_raw()
STATES: set[Path] = set()
"""State folders of the notifiers of this worker: one that starts meanwhile lets identity seal to its own keys."""


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


@asynccontextmanager
async def no_good_key(identity: Database) -> AsyncIterator[None]:
    """While inside, identity knows keys of the past only; a notifier, which says its own every few minutes, must wait.

    The table is held against writers only after the change, which identity has to see.
    """
    move = "update sealing_keys set use_until = use_until {} interval '10 days'"
    await identity.execute(move.format("-"))
    try:
        async with identity.transaction() as tx:
            await tx.execute("lock table sealing_keys in share mode")
            yield
    finally:
        await identity.execute(f"{move.format('+')} where use_until < now()")


def secret_of(envelope: dict[str, Any]) -> str:
    """The secret in a heard SendMail or SendLetter."""
    kind = SendMail if envelope["type"] == SendMail.wire_type() else SendLetter
    command = kind.model_validate(envelope["data"])
    assert command.secret is not None
    return unseal(command.secret, private_key=_private(command.secret.key_id), place=command.place())


def _private(key_id: str) -> X25519PrivateKey:
    for file in (state / "sealing-keys" / f"{key_id}.json" for state in STATES):
        if file.exists():
            return X25519PrivateKey.from_private_bytes(base64.b64decode(json.loads(file.read_bytes())["private"]))
    return _PRIVATE
