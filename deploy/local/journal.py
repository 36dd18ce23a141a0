"""One log of everything: follows the log of each process and writes its lines, with the process' name, into it."""

from __future__ import annotations

import threading
from pathlib import Path

from deploy.local.state import State

PAUSE = 0.3  # seconds between two looks
LIMIT = 50_000_000  # bytes: a longer one is set aside when the platform starts


class Journal:
    """A thread that gathers until it is closed."""

    def __init__(self, state: State) -> None:
        self.logs = state.logs
        self.path = state.folder / "platform.log"
        self.read: dict[Path, int] = {path: path.stat().st_size for path in self.logs.glob("*.log")}
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self.follow, name="journal", daemon=True)

    def open(self) -> None:
        """Begin; lines of earlier runs are there already."""
        if self.path.exists() and self.path.stat().st_size > LIMIT:
            self.path.replace(self.path.with_suffix(".old"))
        self.path.touch(mode=0o600)
        self.thread.start()

    def close(self) -> None:
        """Take the last lines and end."""
        self.closing.set()
        if self.thread.is_alive():
            self.thread.join()

    def follow(self) -> None:
        """Look, write, pause."""
        while not self.closing.wait(PAUSE):
            self.gather()
        self.gather()

    def gather(self) -> None:
        """Append the whole lines that each log has gained; half a line waits for its end."""
        with self.path.open("ab") as journal:
            for log in sorted(self.logs.glob("*.log")):
                with log.open("rb") as stream:
                    begin = self.read.get(log, 0)
                    stream.seek(begin if begin <= log.stat().st_size else 0)
                    gained = stream.read()
                    whole = gained[: gained.rfind(b"\n") + 1]
                    self.read[log] = stream.tell() - len(gained) + len(whole)
                journal.writelines(b"%-14s %s" % (log.stem.encode(), line) for line in whole.splitlines(keepends=True))
