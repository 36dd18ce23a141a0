"""Where the local platform keeps data, passwords, ports and logs, and the lock that admits one run at a time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.accounts import Account, server_account
from deploy.local.refusals import Refusal

ROOT = Path(__file__).resolve().parents[2]
ROOM_NEEDED = 500_000_000  # bytes: below this a database may stop in the middle of its work


class State:
    """One folder with everything a platform remembers; a test cluster has one of its own beside the shared tools."""

    def __init__(self, folder: Path, tools: Path | None = None) -> None:
        self.account: Account = server_account()
        self.folder = folder
        self.tools = tools or folder / "tools"
        self.logs = folder / "logs"
        for path in (self.folder, self.tools):
            path.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.pids = folder / "pids"
        self.guard = threading.Lock()
        for path in (self.logs, self.pids):
            path.mkdir(mode=0o700, exist_ok=True)
        if self.folder.is_symlink() or self.folder.stat().st_uid != os.geteuid():
            raise Refusal(f"The folder {folder} belongs to somebody else: name another one with PLATFORM_STATE.")

    def part(self, name: str) -> State:
        """A state of its own inside this one that shares the unpacked servers."""
        return State(self.folder / name, self.tools)

    def data(self, server: str) -> Path:
        """The private data folder of one server, owned by the user it runs as."""
        self.folder.chmod(0o711)
        return self.account.folder(self.folder / server)

    def log(self, name: str) -> Path:
        """Where a process of that name writes."""
        return self.logs / f"{name}.log"

    def read(self, name: str) -> dict[str, Any]:
        """A remembered JSON object, empty when there is none yet."""
        try:
            return dict(json.loads((self.folder / name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Refusal(f"{self.folder / name} is damaged: delete it, or start anew with `make reset`.") from error

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Remember a JSON object: whole or not at all, readable by the owner alone."""
        path = self.folder / name
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False, indent=2)
        fresh.replace(path)

    def remember(self, file: str, name: str, make: Callable[[dict[str, Any]], Any]) -> Any:
        """The value of that name, made from what the file knows when it is new; both servers may ask at once."""
        with self.guard:
            known = self.read(file)
            if name not in known:
                known[name] = make(known)
                self.write(file, known)
            return known[name]

    def secret(self, name: str) -> str:
        """A random password under that name, made once and kept (0600)."""
        return str(self.remember("secrets.json", name, lambda _known: secrets.token_urlsafe(24)))

    @contextmanager
    def lock(self, name: str = "lock", wait: bool = False) -> Iterator[None]:
        """Hold the state for one process; another holder is waited for, or refused with a sentence."""
        with (self.folder / name).open("a", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refusal(
                    "The platform of this checkout is already running: stop it with `make stop`, "
                    "or give the second one a folder of its own with PLATFORM_STATE."
                ) from error
            yield

    def check_room(self) -> None:
        """Refuse to start on a disk that is nearly full."""
        if shutil.disk_usage(self.folder).free < ROOM_NEEDED:
            raise Refusal(f"The disk of {self.folder} has less than 500 MB free: make room there and start again.")


def open_state() -> State:
    """The state of this checkout: PLATFORM_STATE, else .local, else (where the servers' user cannot enter) /var/tmp."""
    if named := os.environ.get("PLATFORM_STATE"):
        return State(Path(named).absolute())
    if server_account().reaches(ROOT):
        return State(ROOT / ".local")
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return State(Path("/var/tmp") / f"platform-{os.geteuid()}-{checkout}")  # noqa: S108 (State checks the owner)
