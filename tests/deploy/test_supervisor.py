"""The supervisor starts again what died, stops exactly what it started, and leaves strangers alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deploy.local import processes
from deploy.local.processes import Process
from deploy.local.refusals import Refusal
from deploy.local.state import State
from deploy.local.supervisor import Supervisor

SLEEPER = (sys.executable, "-c", "import time; print('here'); time.sleep(600)")
STUBBORN = (sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)")
FAILING = (sys.executable, "-c", "raise SystemExit('the key file is missing')")


def soon(true: Callable[[], object]) -> None:
    limit = time.monotonic() + 10
    while not true():
        assert time.monotonic() < limit, "waited 10 s"
        time.sleep(0.02)


@contextmanager
def watching(state: State) -> Iterator[Supervisor]:
    supervisor = Supervisor(state)
    supervisor.add("sleeper", SLEEPER, os.environ, None, stage=1)
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.ask_to_stop()
        thread.join()
        supervisor.stop()


def running(state: State) -> Process:
    soon(lambda: "sleeper" in processes.left_behind(state))
    return processes.left_behind(state)["sleeper"]


def test_a_killed_process_is_named_and_started_again(state: State, capfd: pytest.CaptureFixture[str]) -> None:
    with watching(state):
        first = running(state)
        first.send(signal.SIGKILL)
        soon(lambda: not first.alive())
        second = running(state)
    assert second.pid != first.pid
    assert "ended by signal SIGKILL; starting again in 1 s" in capfd.readouterr().err


def test_stopping_ends_what_it_started_and_nothing_else(state: State) -> None:
    with subprocess.Popen(SLEEPER) as bystander:
        with watching(state):
            mine = running(state)
        assert not mine.alive()
        assert bystander.poll() is None
        bystander.kill()


def test_a_process_that_does_not_listen_is_killed_after_its_time(state: State) -> None:
    process = processes.start(state, "stubborn", STUBBORN, os.environ)
    time.sleep(0.3)
    process.stop(patience=0.2)
    assert not process.alive()


def test_a_pid_that_a_stranger_got_is_never_signalled(state: State) -> None:
    with subprocess.Popen(SLEEPER) as stranger:
        state.write("pids/sleeper.json", {"pid": stranger.pid, "birth": "an earlier one"})
        assert processes.left_behind(state) == {}
        Supervisor(state).end_left_behind()
        Process(stranger.pid, "an earlier one").stop(signal.SIGKILL, patience=0)
        assert stranger.poll() is None
        stranger.kill()


def test_what_a_killed_launcher_left_is_found_and_ended(state: State) -> None:
    launcher = (
        "from pathlib import Path; import os\n"
        "from deploy.local import processes; from deploy.local.state import State\n"
        f"processes.start(State(Path({str(state.folder)!r})), 'sleeper', {SLEEPER!r}, os.environ)\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", launcher], check=False)
    left = running(state)
    Supervisor(state).end_left_behind()
    assert not left.alive()


def test_a_process_that_fails_at_the_start_refuses_with_its_last_words(state: State) -> None:
    supervisor = Supervisor(state)
    supervisor.add("failing", FAILING, os.environ, "http://127.0.0.1:1/ready", stage=1)
    with pytest.raises(Refusal, match=r"(?s)failing ended with status 1; its log .*the key file is missing"):
        supervisor.wait_ready()
