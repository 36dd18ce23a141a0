"""A private RabbitMQ node: Debian's packages unpacked, or an installed one's programs; own cookie, ports and data."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local import debian, processes
from deploy.local.management import Management
from deploy.local.ports import LOOPBACK, Ports, listening
from deploy.local.processes import Process
from deploy.local.refusals import Refusal
from deploy.local.state import State

OPERATOR = "operator"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
INSTALLED = Path("/usr/lib/rabbitmq/lib")  # where Debian's own package puts it


@dataclass(frozen=True)
class Programs:
    """Where RabbitMQ's and Erlang's programs are; `erlang` is None when they are found on the PATH."""

    home: Path
    erlang: Path | None

    @property
    def path(self) -> str:
        """The PATH of the node: Erlang's programs first."""
        machine = os.environ.get("PATH", "/usr/bin:/bin")
        return f"{self.erlang / 'bin'}:{machine}" if self.erlang else machine


class RabbitMQ:
    """One private node; `url` and `management` are its operator's (an administrator; there is no guest)."""

    def __init__(self, state: State, ports: Ports) -> None:
        self.state = state
        self.data = state.data("rabbitmq")
        self.log = state.log("rabbitmq")
        self.port, self.management_port, self.epmd_port, self.peer_port = (
            ports.port(name) for name in ("rabbitmq", "rabbitmq-management", "rabbitmq-epmd", "rabbitmq-peers")
        )
        self.process: Process | None = None
        self.epmd: Process | None = None

    @property
    def url(self) -> str:
        """amqp://… of the operator, without a virtual host."""
        return f"amqp://{OPERATOR}:{self.state.secret('rabbitmq')}@{LOOPBACK}:{self.port}"

    @property
    def management_url(self) -> str:
        """http://… of the management API, with the operator's password."""
        return f"http://{OPERATOR}:{self.state.secret('rabbitmq')}@{LOOPBACK}:{self.management_port}"

    def start(self) -> Process:
        """Start the node and the name server of its own, and return when both doors answer."""
        programs = find_programs(self.state)
        environment = self.configure(programs)
        self.start_epmd(programs, environment)
        server = programs.home / "sbin" / "rabbitmq-server"
        self.process = processes.start(self.state, "rabbitmq", [server], environment, self.state.account, self.data)
        self.wait()
        return self.process

    def start_epmd(self, programs: Programs, environment: dict[str, str]) -> None:
        """Start the name server, unless it has outlived a killed node (it must be ended with the next one)."""
        epmd = shutil.which("epmd", path=programs.path)
        if not epmd:
            raise Refusal("Erlang's epmd was not found: install Erlang, or put its bin folder on the PATH.")
        if not (self.epmd and self.epmd.alive()):
            self.epmd = processes.start(self.state, "epmd", [epmd], environment, self.state.account, self.data)

    def configure(self, programs: Programs) -> dict[str, str]:
        """Write the node's files and return its whole environment: nothing of the machine's own RabbitMQ is read."""
        write = self.state.account.file
        write(self.data / ".erlang.cookie", self.state.secret("rabbitmq-cookie"), 0o400)
        write(self.data / "enabled_plugins", "[rabbitmq_management].\n")
        write(self.data / "inetrc", '{host,{127,0,0,1},["localhost"]}.\n{lookup,[file,native]}.\n')
        write(self.data / "rabbitmq.conf", self.configuration())
        write(self.data / "advanced.config", self.advanced_configuration())
        files = {
            "MNESIA_BASE": "mnesia",
            "LOG_BASE": "log",
            "CONFIG_FILE": "rabbitmq.conf",
            "ADVANCED_CONFIG_FILE": "advanced.config",
            "ENABLED_PLUGINS_FILE": "enabled_plugins",
            "PID_FILE": "node.pid",
        }
        return {
            "PATH": programs.path,
            "HOME": str(self.data),
            "LC_ALL": "C.UTF-8",
            **{f"RABBITMQ_{name}": str(self.data / file) for name, file in files.items()},
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": "platform@localhost",
            "RABBITMQ_DIST_PORT": str(self.peer_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "RUNNING_UNDER_SYSTEMD": "true",  # the start script becomes the node itself, so its pid is ours to signal
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_INETRC": str(self.data / "inetrc"),  # a machine without /etc/hosts does not know localhost
            "ERL_CRASH_DUMP_SECONDS": "0",  # a dump of the memory would hold messages in clear
            debian.HOME_VARIABLE: str(programs.erlang or ""),
        }

    def configuration(self) -> str:
        """rabbitmq.conf; its default user is made on the very first start, in guest's place."""
        return "\n".join(
            [
                f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
                f"management.tcp.ip = {LOOPBACK}",
                f"management.tcp.port = {self.management_port}",
                f"default_user = {OPERATOR}",
                f"default_pass = {self.state.secret('rabbitmq')}",
                "default_user_tags.administrator = true",
                "disk_free_limit.absolute = 200MB",
                "log.file = false",
                "log.console = true",
                "log.console.level = info",
                "log.console.use_colors = off",
                "collect_statistics_interval = 1000",
                "",
            ]
        )

    def advanced_configuration(self) -> str:
        """What rabbitmq.conf has no word for. The management pages are a second old, not five: tests wait for them."""
        return "[{rabbit, [{quorum_tick_interval, 1000}]}].\n"

    def wait(self) -> None:
        """Until AMQP and the management API answer."""
        assert self.process is not None
        management = Management(self.management_url)
        limit = time.monotonic() + START_SECONDS
        while not (listening(self.port) and management.answers()):
            processes.reap(self.process.pid)
            if not self.process.alive() or time.monotonic() > limit:
                self.stop()
                raise Refusal(f"RabbitMQ did not start; its log {self.log} ends:\n{processes.tail(self.log)}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the node cleanly, then its name server, which the node would leave behind."""
        if self.process:
            self.process.stop(patience=STOP_SECONDS)
        if self.epmd:
            self.epmd.stop(patience=2.0)


def find_programs(state: State) -> Programs:
    """RABBITMQ_HOME, else an installed RabbitMQ, else Debian's packages unpacked among our tools."""
    if named := os.environ.get("RABBITMQ_HOME"):
        if not (Path(named) / "sbin" / "rabbitmq-server").exists() or not shutil.which("erl"):
            raise Refusal(
                f"RABBITMQ_HOME is {named}, but {named}/sbin/rabbitmq-server or erl on the PATH is missing: correct it."
            )
        return Programs(Path(named), None)
    for home in INSTALLED.glob("rabbitmq_server-*"):
        if shutil.which("erl"):
            return Programs(home, None)
    prefix = debian.unpack(state.tools / "rabbitmq")
    homes = sorted((prefix / "usr" / "lib" / "rabbitmq" / "lib").glob("rabbitmq_server-*"))
    return Programs(homes[-1], prefix / "usr" / "lib" / "erlang")
