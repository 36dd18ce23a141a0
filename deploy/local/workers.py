"""One supervised process: how it starts, how its readiness is seen, when it starts again after it has died."""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local import processes
from deploy.local.management import opener
from deploy.local.processes import Process

PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each further start of a process that keeps dying
CALM = 60.0  # seconds after which an earlier death no longer counts
STOP_SECONDS = 10.0  # a service drains and leaves within this


@dataclass
class Worker:
    """`probe` is a URL that answers 200 when the process can work; None when `launch` itself waits for that.

    `halt` stops it in a way of its own (a server knows its best signal); what has a higher `stage` stops earlier."""

    name: str
    launch: Callable[[], Process]
    probe: str | None = None
    stage: int = 0
    halt: Callable[[], None] | None = None
    process: Process | None = None
    ready: bool = False
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0

    def start(self) -> None:
        """Start it now."""
        self.started = time.monotonic()
        self.process = self.launch()
        self.ready = self.probe is None

    def check_ready(self) -> bool:
        """Ask it, unless it has said so already."""
        self.ready = self.ready or (self.probe is not None and answers(self.probe))
        return self.ready

    def age(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.started

    def ended(self) -> str | None:
        """How it ended, in words, and None while it runs; the time of its next start is then set in `due`."""
        if self.process is None:
            return None
        status = processes.reap(self.process.pid)
        if status is None and self.process.alive():
            return None
        self.process = None
        self.deaths = 0 if status == 0 or self.age() > CALM else self.deaths + 1
        self.due = time.monotonic() + (PAUSES[min(self.deaths, len(PAUSES)) - 1] if self.deaths else 0.0)
        return words(status)

    def when(self) -> str:
        """When the next start is due, in words."""
        seconds = self.due - time.monotonic()
        return f"in {seconds:.0f} s" if seconds > 0 else "now"

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not."""
        if self.halt:
            self.halt()
        elif self.process:
            self.process.stop(signal.SIGTERM, STOP_SECONDS)
        self.process = None


def words(status: int | None) -> str:
    """An exit status as people say it."""
    if status is None:
        return "ended"
    if status < 0:
        return f"ended by signal {signal.Signals(-status).name}"
    return "ended as asked" if status == 0 else f"ended with status {status}"


def answers(url: str) -> bool:
    """Whether a GET answers 200 within a second."""
    try:
        with opener.open(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
