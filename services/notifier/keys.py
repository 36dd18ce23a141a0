"""The key pairs that secrets are sealed to: made ahead, in files that only the notifier can read, destroyed in time."""

import base64
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chassis.seals import BrokenSeal, Sealed, unseal
from contracts.notifier import SealingKey, SealingPurpose
from notifier.settings import Settings

EARLY = timedelta(minutes=5)  # for clocks that are behind ours
_NAME = re.compile(r"[a-z]+-\d{8}T\d{6}Z-[0-9a-f]{16}")


class NotOpened(ValueError):
    """The secret does not open; the text says why and nothing about the secret."""


@dataclass(frozen=True)
class Period:
    """How long secrets are sealed to one key, how long it opens them afterwards, how many periods are ready ahead."""

    life: timedelta
    kept: timedelta
    ahead: int


@dataclass(frozen=True)
class KeyPair:
    """A key pair with its life; `destroyed_at` is when nobody can open what was sealed to it any more."""

    public: SealingKey
    private: X25519PrivateKey
    destroyed_at: datetime


class KeyRing:
    """The keys of one folder, which all processes of the notifier share; a file lock keeps them from making them twice.

    Destroying the file is what makes copies of sealed secrets (write-ahead log, queues, backups) worthless, so the
    folder must not be part of any backup.
    """

    def __init__(self, folder: Path, periods: Mapping[SealingPurpose, Period]) -> None:
        self._folder = folder
        self._periods = periods
        self._known: dict[str, KeyPair] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    @classmethod
    def of(cls, settings: Settings) -> "KeyRing":
        """The ring as the settings want it. Codes can be sealed for two hours without us, passwords for three days."""
        return cls(
            settings.state / "sealing-keys",
            {
                SealingPurpose.CODE: Period(settings.code_key_life, settings.code_key_kept, 8),
                SealingPurpose.PASSWORD: Period(settings.password_key_life, settings.password_key_kept, 3),
            },
        )

    def renew(self, now: datetime) -> tuple[SealingKey, ...]:
        """Make the keys that are missing, destroy those whose life is over; answers the public keys to seal with."""
        with self._locked():
            pairs = [self._load(path) for path in sorted(self._folder.glob("*.json"))]
            for pair in [pair for pair in pairs if pair.destroyed_at <= now]:
                self._destroy(pair.public.key_id)
                pairs.remove(pair)
            for purpose, period in self._periods.items():
                pairs += self._make_missing(purpose, period, [p for p in pairs if p.public.purpose is purpose], now)
        self._known = {pair.public.key_id: pair for pair in pairs}
        usable = [pair.public for pair in pairs if pair.public.use_until > now]
        return tuple(sorted(usable, key=lambda key: (key.purpose, key.use_from)))

    def open(self, sealed: Sealed, place: Sequence[str], now: datetime) -> str:
        """The secret. Raises NotOpened for a key that is unknown or destroyed, and for a seal that is not for here."""
        pair = self._pair(sealed.key_id)
        if pair is None or pair.destroyed_at <= now:
            raise NotOpened("secret: its key is unknown or was destroyed")
        try:
            return unseal(sealed, private_key=pair.private, place=place)
        except BrokenSeal:
            raise NotOpened("secret: the seal does not open for this mail") from None

    def _pair(self, key_id: str) -> KeyPair | None:
        if not _NAME.fullmatch(key_id):
            return None
        if key_id not in self._known:
            try:
                self._known[key_id] = self._load(self._folder / f"{key_id}.json")
            except FileNotFoundError:
                return None
        return self._known[key_id]

    def _make_missing(
        self, purpose: SealingPurpose, period: Period, existing: Sequence[KeyPair], now: datetime
    ) -> list[KeyPair]:
        begins = now
        for pair in existing:  # in their order; beyond a hole is what was made while our clock was ahead
            if pair.public.use_from <= begins:
                begins = max(begins, pair.public.use_until)
        fresh: list[KeyPair] = []
        while begins < now + period.life * period.ahead:
            fresh.append(self._make(purpose, period, begins - EARLY if begins == now else begins, begins + period.life))
            begins += period.life
        return fresh

    def _make(self, purpose: SealingPurpose, period: Period, begins: datetime, ends: datetime) -> KeyPair:
        private = X25519PrivateKey.generate()
        key_id = f"{purpose}-{begins:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
        public = SealingKey(
            key_id=key_id, purpose=purpose, use_from=begins, use_until=ends,
            public_key=base64.b64encode(private.public_key().public_bytes_raw()).decode(),
        )  # fmt: skip
        pair = KeyPair(public, private, ends + period.kept)
        said = {
            "public": public.model_dump(mode="json"),
            "private": base64.b64encode(private.private_bytes_raw()).decode(),
            "destroyed_at": pair.destroyed_at.isoformat(),
        }
        write_private(self._folder / f"{key_id}.json", json.dumps(said).encode())
        return pair

    def _load(self, path: Path) -> KeyPair:
        said = json.loads(path.read_bytes())
        private = X25519PrivateKey.from_private_bytes(base64.b64decode(said["private"]))
        return KeyPair(SealingKey(**said["public"]), private, datetime.fromisoformat(said["destroyed_at"]))

    def _destroy(self, key_id: str) -> None:
        destroy(self._folder / f"{key_id}.json")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only we can read, whole or not at all, also through a power cut."""
    with written_aside(path, content):
        pass


@contextmanager
def written_aside(path: Path, content: bytes) -> Iterator[None]:
    """The same for a file that gets its name only when the block ends well; else nothing of it stays."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def destroy(path: Path) -> None:
    """Overwrite a file and remove it; nothing to do when it is gone."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
