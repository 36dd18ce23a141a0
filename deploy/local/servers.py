"""The two servers everything stands on, started side by side: private ones, or those named in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.local.management import Management
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.refusals import Refusal
from deploy.local.state import State

Report = Callable[[str, str], None]  # (who, what), one progress line


@dataclass(frozen=True)
class Addresses:
    """Where an administrator reaches both servers; the URLs hold passwords."""

    postgres_url: str
    broker_url: str  # without a virtual host
    management_url: str


@dataclass
class Servers:
    """PostgreSQL and RabbitMQ of one state; each is None when the environment names a running one."""

    state: State
    ports: Ports
    report: Report
    postgres: Postgres | None = None
    rabbitmq: RabbitMQ | None = None

    def start(self) -> Addresses:
        """Start what is not named in the environment; on any refusal what was started is stopped."""
        self.state.check_room()
        with ThreadPoolExecutor(2) as pool:
            postgres, broker = pool.submit(self.start_postgres), pool.submit(self.start_rabbitmq)
        try:
            return Addresses(postgres.result(), *broker.result())
        except BaseException:
            self.stop()
            raise

    def start_postgres(self) -> str:
        """The superuser's URL."""
        if named := os.environ.get("POSTGRES_URL"):
            return checked("POSTGRES_URL", named, ("postgresql", "postgres"))
        self.postgres = Postgres(self.state, self.ports.port("postgres"))
        self.postgres.start()
        self.report("postgres", f"ready on port {self.postgres.port}")
        return self.postgres.url

    def start_rabbitmq(self) -> tuple[str, str]:
        """The operator's AMQP and management URLs."""
        if named := os.environ.get("RABBITMQ_URL"):
            return self.named_rabbitmq(checked("RABBITMQ_URL", named, ("amqp", "amqps")))
        self.rabbitmq = RabbitMQ(self.state, self.ports)
        fetched = (self.state.tools / "rabbitmq").exists()
        self.report("rabbitmq", "starting" if fetched else "starting; what this machine lacks is fetched, some 30 MB")
        self.rabbitmq.start()
        self.report("rabbitmq", f"ready on port {self.rabbitmq.port}")
        return self.rabbitmq.url, self.rabbitmq.management_url

    def named_rabbitmq(self, url: str) -> tuple[str, str]:
        """A running broker of the environment, if its management API lets us in."""
        setting = "RABBITMQ_MANAGEMENT_URL"
        management = checked(setting, os.environ.get(setting, ""), ("http", "https"))
        if not Management(management).answers():
            raise Refusal(f"The API at {setting} does not answer or refuses the login: correct the setting.")
        return url.rstrip("/"), management.rstrip("/")

    def stop(self) -> None:
        """Stop those we started, side by side."""
        with ThreadPoolExecutor(2) as pool:
            for server in (self.postgres, self.rabbitmq):
                if server:
                    pool.submit(server.stop)


def checked(setting: str, url: str, schemes: tuple[str, ...]) -> str:
    """A URL written in a setting, if it can be one."""
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Refusal(f"{setting} is not a URL like {schemes[0]}://user:password@127.0.0.1:port: correct the setting.")
    return url
