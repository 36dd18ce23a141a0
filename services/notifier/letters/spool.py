"""Where letters wait: encrypted files in one folder, each with a key of its own in another."""

import contextlib
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notifier.keys import destroy, write_private
from notifier.settings import Settings


class Gone(LookupError):
    """The letter is not in the spool (any more), or its file was changed."""


class Spool:
    """put, take, remove, sweep: whatever hands letters to a mail room needs no more.

    The folder may be on storage that others back up; without the keys, which go when a letter is posted, it is noise.
    """

    def __init__(self, folder: Path, keys: Path) -> None:
        self._folder, self._keys = folder, keys
        for place in (folder, keys):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    def of(cls, settings: Settings) -> "Spool":
        """The spool that the settings name."""
        return cls(settings.spool, settings.state / "letter-keys")

    def put(self, letter_id: UUID, sheet: bytes) -> None:
        """Keep a sheet; putting it again replaces it."""
        key, nonce = AESGCM.generate_key(256), bytes(12)  # each key encrypts one sheet, so the nonce may be fixed
        write_private(self._key(letter_id), key)
        write_private(self._file(letter_id), AESGCM(key).encrypt(nonce, sheet, letter_id.bytes))

    def take(self, letter_id: UUID) -> bytes:
        """The sheet in clear. Raises Gone."""
        try:
            key, sealed = self._key(letter_id).read_bytes(), self._file(letter_id).read_bytes()
            return AESGCM(key).decrypt(bytes(12), sealed, letter_id.bytes)
        except (FileNotFoundError, InvalidTag, ValueError):
            raise Gone from None

    def remove(self, letter_id: UUID) -> None:
        """Destroy a sheet and its key."""
        destroy(self._key(letter_id))
        destroy(self._file(letter_id))

    def sweep(self, needed: Iterable[UUID], age: timedelta) -> None:
        """Destroy what is older than `age` and belongs to none of the letters that are needed."""
        names = {str(letter_id) for letter_id in needed}
        before = time.time() - age.total_seconds()
        for folder in (self._keys, self._folder):
            for file in folder.iterdir():
                ours = file.suffix in (".key", ".letter", ".partial")
                with contextlib.suppress(FileNotFoundError):  # another process sweeps as well
                    if ours and file.stem not in names and file.stat().st_mtime < before:
                        destroy(file)

    def _file(self, letter_id: UUID) -> Path:
        return self._folder / f"{letter_id}.letter"

    def _key(self, letter_id: UUID) -> Path:
        return self._keys / f"{letter_id}.key"
