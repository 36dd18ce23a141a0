"""The keys that sign access tokens: made at the first start, rotated by command, old and new valid side by side."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from chassis.revocations import TOKEN_LIFE
from chassis.sql import Database, Tx
from chassis.tokens import ALGORITHM
from identity.secrets import Secrets
from identity.store import signing_keys

FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what is published of it, and what signs with it."""

    key_id: str
    public: dict[str, str]
    private: OKPKey
    signs: bool


class Keyring:
    """This process' view of the keys, no older than FRESH_SECONDS."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets
        self._keys: list[Key] = []
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def prepare(self) -> None:
        """Make the first key when there is none. Raises WrongKey when the key file does not fit the database."""
        async with self._database.transaction() as tx:
            await signing_keys.hold(tx)
            if not await signing_keys.known(tx):
                await create(tx, self._secrets, notice=timedelta(0))
        await self.keys()

    async def keys(self) -> list[Key]:
        """The keys that verify now, the newest that signs being the last with `signs`."""
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._keys = [self._open(row) for row in await signing_keys.known(self._database)]
                self._read_at = time.monotonic()
        return self._keys

    async def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims, by the newest key that is published long enough."""
        key = [key for key in await self.keys() if key.signs][-1]
        return jwt.encode({"alg": ALGORITHM, "kid": key.key_id}, claims, key.private, algorithms=[ALGORITHM])

    def _open(self, row: Any) -> Key:
        public = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": urlsafe_b64encode(row["public_key"]).decode(),
            "kid": row["key_id"],
            "use": "sig",
            "alg": ALGORITHM,
        }
        raw = self._secrets.uncover(row["sealed_key"], row["key_id"])
        private = OKPKey.import_key({**public, "d": urlsafe_b64encode(raw).decode()})
        return Key(row["key_id"], public, private, row["signs"])


async def rotate(tx: Tx, secrets_: Secrets, notice: timedelta) -> str:
    """Replace the keys, one rotation at a time; answers the new key's id."""
    await signing_keys.hold(tx)
    return await create(tx, secrets_, notice)


async def create(tx: Tx, secrets_: Secrets, notice: timedelta) -> str:
    """A new key that is published at once, signs after `notice`, and replaces all others; answers its id.

    The others verify until the last token they can have signed has lapsed.
    """
    key = Ed25519PrivateKey.generate()
    key_id = secrets.token_hex(8)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    await signing_keys.add(tx, key_id, public, secrets_.cover(raw, key_id), notice)
    slack = timedelta(seconds=2 * FRESH_SECONDS)
    await signing_keys.retire(tx, key_id, notice + TOKEN_LIFE + slack)
    return key_id
