"""Processes we started: known by pid and start time, so that a number used again by a stranger is never signalled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.accounts import Account
from deploy.local.refusals import Refusal
from deploy.local.state import State

LOG_LIMIT = 20_000_000  # bytes: a longer log is set aside when its process starts again


@dataclass(frozen=True)
class Process:
    """A process of this machine; `birth` is its boot and start tick, which no later process with this pid can share."""

    pid: int
    birth: str

    def alive(self) -> bool:
        """Whether it is still the same process and not only a zombie."""
        return birth(self.pid) == self.birth

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it, and to nobody else; a process that is gone is fine."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
        """Ask it to end, wait up to `patience` seconds, then kill it."""
        self.send(number)
        if not self.ended(patience):
            self.send(signal.SIGKILL)
            self.ended(5.0)

    def ended(self, seconds: float) -> bool:
        """Wait until it has ended; False when it has not within the seconds."""
        limit = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > limit:
                return False
            time.sleep(0.02)
            reap(self.pid)
        return True

    def written(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"pid": self.pid, "birth": self.birth}


def birth(pid: int) -> str | None:
    """When a process began, as boot id and clock tick; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def reap(pid: int) -> int | None:
    """The exit status of an ended child of ours (negative: the signal); None while it runs or when it is not ours."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def remembered(content: Mapping[str, Any]) -> Process:
    """The process that `written` described."""
    return Process(int(content["pid"]), str(content["birth"]))


def start(
    state: State,
    name: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    account: Account | None = None,
    folder: Path | None = None,
) -> Process:
    """Start a process in a session of its own (a Ctrl-C at the terminal does not reach it).

    It writes to logs/<name>.log and is remembered in pids/<name>.json, so that even a killed launcher leaves nothing
    behind that the next one would not find."""
    log = state.log(name)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old"))
    with log.open("ab") as output:
        try:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                umask=0o077,
                **(account.popen_options() if account else {}),
            )
        except OSError as error:
            raise Refusal(f"{command[0]} cannot be started ({error.strerror}).") from error
    child.returncode = 0  # reaped by `reap`; Popen would otherwise warn that the child still runs
    process = Process(child.pid, birth(child.pid) or "ended")
    state.write(f"pids/{name}.json", process.written())
    return process


def left_behind(state: State) -> dict[str, Process]:
    """The living processes that this state remembers, by name."""
    every = {path.stem: remembered(state.read(f"pids/{path.name}")) for path in sorted(state.pids.glob("*.json"))}
    return {name: process for name, process in every.items() if process.alive()}


def forget(state: State) -> None:
    """All of them have ended."""
    for path in state.pids.glob("*.json"):
        path.unlink()


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, to be shown when its process failed."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
