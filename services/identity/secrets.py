"""The one key outside the database, and what is derived from it: verifiers of short secrets, cover of signing keys."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = "identity.key"
BYTES = 32


class WrongKey(Exception):
    """The key file does not belong to this database: restore the file that was in use when the database was written."""


class Secrets:
    """Keys derived from the file; nothing here can be read back from what the database holds."""

    def __init__(self, master: bytes) -> None:
        self._verifying = _derive(master, b"verifiers")
        self._covering = AESGCM(_derive(master, b"signing keys"))

    @classmethod
    def load(cls, folder: Path) -> "Secrets":
        """From the private folder's file, which is made when there is none yet. Raises WrongKey for a damaged file."""
        path = folder / FILE
        if not path.exists():
            _create(path)
        master = path.read_bytes()
        if len(master) != BYTES:
            raise WrongKey(f"{path} is damaged: it must have {BYTES} bytes")
        return cls(master)

    def verifier(self, purpose: str, owner: str, secret: str) -> bytes:
        """What is kept of a short secret: useless for any other purpose or owner, and without the key file."""
        parts = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in (purpose, owner, secret))
        return hmac.digest(self._verifying, parts, "sha256")

    def verifies(self, verifier: bytes, purpose: str, owner: str, secret: str) -> bool:
        """Whether `secret` is the one; in constant time."""
        return hmac.compare_digest(verifier, self.verifier(purpose, owner, secret))

    def cover(self, plain: bytes, name: str) -> bytes:
        """Encrypt for the database, bound to the row `name`."""
        nonce = os.urandom(12)
        return nonce + self._covering.encrypt(nonce, plain, name.encode())

    def uncover(self, covered: bytes, name: str) -> bytes:
        """The plain bytes. Raises WrongKey."""
        try:
            return self._covering.decrypt(covered[:12], covered[12:], name.encode())
        except InvalidTag:
            raise WrongKey("the key file and the database do not belong together") from None


def new_token() -> str:
    """256 random bits, as text for URLs and headers."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is kept of a token; 256 random bits need neither salt nor slowness."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(master)


def _create(path: Path) -> None:
    """Whole or not at all, also when two processes start at once; readable by this user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # the other process was first; its key counts
    finally:
        draft.unlink()
