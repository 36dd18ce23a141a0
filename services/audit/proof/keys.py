"""The Ed25519 key that signs checkpoints and manifests; it never enters the database."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE_NAME = "signing-key.pem"
PUBLIC_NAME = "signing-key.pub"

SIGNATURE = "signature"
"""The member of a statement that is not under the signature."""


class Signer:
    """Signs statements and seals blocks with a private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._sealing_key = hashlib.sha256(b"audit-seal-1" + key.private_bytes_raw()).digest()
        self.key_id = key_id(key.public_key())
        self.public_pem = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    @classmethod
    def from_folder(cls, folder: Path) -> "Signer":
        """The key of this folder; made, readable by us alone, when there is none yet. The public one lies beside it."""
        path = folder / PRIVATE_NAME
        if not path.exists():
            _make(path)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{path} is not an Ed25519 key")
        signer = cls(key)
        (folder / PUBLIC_NAME).write_text(signer.public_pem, encoding="ascii")
        return signer

    def sign(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """The statement with our key's id and its signature."""
        said = {**statement, "key_id": self.key_id}
        return {**said, SIGNATURE: base64.b64encode(self._key.sign(canonical(said))).decode()}

    def seal(self, head: bytes) -> bytes:
        """What shows, to us alone, that we recorded the block with this head; a hundredth of what a signature costs."""
        return hmac.digest(self._sealing_key, head, "sha256")

    def sealed(self, head: bytes, seal: bytes | None) -> bool:
        """Whether it is our seal."""
        return seal is not None and hmac.compare_digest(self.seal(head), seal)

    def made(self, statement: Mapping[str, Any]) -> bool:
        """Whether it carries a valid signature of our key."""
        return signed_by(self._key.public_key(), statement)


def _make(path: Path) -> None:
    """Written apart and then linked to its name: of two processes that start together, one key wins for both."""
    raw = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Not by the process' number: in a container it is always the same, and one that died here left a file.
    apart = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(apart, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(raw)
        os.fsync(file.fileno())
    try:
        path.hardlink_to(apart)
    except FileExistsError:
        pass
    finally:
        apart.unlink()


def key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def canonical(statement: Mapping[str, Any]) -> bytes:
    """The signed bytes: JSON in UTF-8, keys sorted, no blanks, without the signature."""
    said = {key: value for key, value in statement.items() if key != SIGNATURE}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def load_public(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file. Raises ValueError."""
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path} is not an Ed25519 public key")
    return key


def signed_by(key: Ed25519PublicKey, statement: Mapping[str, Any]) -> bool:
    """Whether the statement carries a valid signature of this key."""
    try:
        key.verify(base64.b64decode(str(statement.get(SIGNATURE, "")), validate=True), canonical(statement))
    except (InvalidSignature, ValueError):
        return False
    return True
