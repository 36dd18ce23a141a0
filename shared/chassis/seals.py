"""Secrets that travel: sealed to one reader's public key (HPKE, RFC 9180), bound to the place they were meant for."""

import base64
import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import BaseModel, ConfigDict, Field

PADDED_BYTES = 256  # so that the length of a secret says nothing

_suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Sealed(BaseModel):
    """A secret that only the holder of the key `key_id` can read."""

    model_config = ConfigDict(frozen=True)
    key_id: str = Field(max_length=64)
    ciphertext: str = Field(max_length=2048, description="base64 of the HPKE encapsulation and ciphertext")


class BrokenSeal(ValueError):
    """The secret was not sealed to this key for this place, or was changed on the way."""


def seal(secret: str, *, key_id: str, public_key: bytes, place: Sequence[str]) -> Sealed:
    """Seal `secret` (at most 254 bytes of UTF-8) to a raw X25519 public key.

    `place` names what the secret is for (template, recipient, …); opening with any other place fails.
    """
    raw = secret.encode()
    if len(raw) > PADDED_BYTES - 2:
        raise ValueError("the secret is too long to be sealed")
    padded = struct.pack(">H", len(raw)) + raw.ljust(PADDED_BYTES - 2, b"\0")
    sealed = _suite.encrypt(padded, X25519PublicKey.from_public_bytes(public_key), info=_info(key_id, place))
    return Sealed(key_id=key_id, ciphertext=base64.b64encode(sealed).decode())


def unseal(sealed: Sealed, *, private_key: X25519PrivateKey, place: Sequence[str]) -> str:
    """The secret. Raises BrokenSeal."""
    try:
        raw = base64.b64decode(sealed.ciphertext, validate=True)
        padded = _suite.decrypt(raw, private_key, info=_info(sealed.key_id, place))
    except (InvalidTag, ValueError) as error:
        raise BrokenSeal("the seal does not open here") from error
    (length,) = struct.unpack(">H", padded[:2])
    return padded[2 : 2 + length].decode()


def _info(key_id: str, place: Sequence[str]) -> bytes:
    """Unambiguous: each part with its length."""
    return b"".join(struct.pack(">I", len(part.encode())) + part.encode() for part in (key_id, *place))
