"""Watches over processes: starts them, names a death and starts again, and stops exactly what it started."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from deploy.local import processes
from deploy.local.processes import Process
from deploy.local.refusals import Refusal
from deploy.local.state import ROOT, State
from deploy.local.workers import Worker

LOOK = 0.1  # seconds between two looks at the processes
READY_SECONDS = 60.0
TRY_AGAIN_SECONDS = 10.0


class Stopped(Exception):
    """Somebody asked to stop while things were still starting."""


class Supervisor:
    """The processes of one state, in stages: servers, what stands on them, services."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.workers: list[Worker] = []
        self.stopping = threading.Event()
        self.begun = time.monotonic()

    def heed_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)

    def ask_to_stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """The next look stops everything."""
        self.stopping.set()

    def check_stop(self) -> None:
        """Leave the start when somebody asked to stop."""
        if self.stopping.is_set():
            raise Stopped

    def add(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], probe: str | None, stage: int
    ) -> None:
        """Start a process and watch over it from now on."""

        def launch() -> Process:
            return processes.start(self.state, name, command, environment, folder=ROOT)

        worker = Worker(name, launch, probe, stage)
        self.workers.append(worker)
        worker.start()

    def wait_ready(self) -> None:
        """Until every process says it is ready; one that dies meanwhile, or takes a minute, refuses the whole start."""
        while waiting := [worker for worker in self.workers if not worker.ready]:
            self.check_stop()
            for worker in waiting:
                how = worker.ended()
                if how or worker.age() > READY_SECONDS:
                    log = self.state.log(worker.name)
                    raise Refusal(f"{worker.name} {how or 'is not ready'}; its log {log} ends:\n{processes.tail(log)}")
                if worker.check_ready():
                    self.report(worker.name, "ready")
            time.sleep(LOOK)

    def watch(self) -> None:
        """Until somebody asks to stop: what has ended is named and started again, after a pause if it died."""
        while not self.stopping.wait(LOOK):
            for worker in self.workers:
                if how := worker.ended():
                    self.report(worker.name, f"{how}; starting again {worker.when()}")
                elif worker.process is None and time.monotonic() >= worker.due:
                    self.start_again(worker)
                elif not worker.ready and worker.check_ready():
                    self.report(worker.name, f"ready again after {worker.age():.1f} s")

    def start_again(self, worker: Worker) -> None:
        """Another try; a server that refuses is tried again later."""
        try:
            worker.start()
        except Refusal as refusal:
            worker.due = time.monotonic() + TRY_AGAIN_SECONDS
            self.report(worker.name, f"{refusal} Trying again in {TRY_AGAIN_SECONDS:.0f} s.")

    def stop(self) -> None:
        """Stage by stage, the last started first; those of one stage side by side."""
        for stage in sorted({worker.stage for worker in self.workers}, reverse=True):
            with ThreadPoolExecutor() as pool:
                for worker in self.workers:
                    if worker.stage == stage:
                        pool.submit(worker.stop)
        self.workers.clear()
        processes.forget(self.state)

    def end_left_behind(self) -> None:
        """End what a killed launcher of this state left running, services before servers."""
        left = processes.left_behind(self.state)
        if left:
            self.report("platform", f"ending what a killed run left: {', '.join(left)}")
        servers = ("postgres", "rabbitmq", "epmd")
        for name in sorted(left, key=lambda name: (*servers, name).index(name) if name in servers else -1):
            left[name].stop(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        processes.forget(self.state)

    def report(self, who: str, what: str) -> None:
        """One progress line, on the terminal with the seconds since the start, and in the log with the time."""
        with self.state.log("launcher").open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {who} {what}\n")
        with contextlib.suppress(OSError):  # the terminal may be gone; the work goes on
            print(f"{time.monotonic() - self.begun:7.1f} s  {who:<14}{what}", file=sys.stderr, flush=True)
