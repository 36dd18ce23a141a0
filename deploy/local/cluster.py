"""The test cluster: one PostgreSQL and one RabbitMQ for all tests; who first needs it starts it, the last stops it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from deploy.local import databases
from deploy.local.databases import DatabaseUrls
from deploy.local.management import Management
from deploy.local.ports import Ports
from deploy.local.processes import Process, birth, forget, left_behind, remembered
from deploy.local.servers import Addresses, Report, Servers
from deploy.local.state import State, open_state

FILE = "cluster.json"


@dataclass(frozen=True)
class Cluster(Addresses):
    """A running test cluster and what a test may ask of it."""

    async def create_database(self, prefix: str = "test", template: str = "template0") -> str:
        """A fresh database of the superuser's, `<prefix>_<random>`; returns its URL."""
        return await databases.create_database(self.postgres_url, prefix, template)

    async def drop_database(self, url_or_name: str) -> None:
        """Remove a database, and its roles if it has any."""
        name = unquote(urlsplit(url_or_name).path[1:]) if "://" in url_or_name else url_or_name
        await databases.drop_database(self.postgres_url, name)

    async def prepare_database(self, service: str, prefix: str = "") -> DatabaseUrls:
        """The database and both roles of a service, as the platform makes them, under a prefix of the test's."""
        return await databases.prepare_database(self.postgres_url, service, prefix)

    async def create_virtual_host(self, name: str) -> str:
        """A virtual host of the test's own; returns the operator's amqp URL of it."""
        await Management(self.management_url).create_virtual_host(name)
        return f"{self.broker_url}/{quote(name, safe='')}"

    async def delete_virtual_host(self, name: str) -> None:
        """Remove it with its queues."""
        await Management(self.management_url).delete_virtual_host(name)

    async def apply_definitions(self, definitions: dict[str, Any]) -> None:
        """Users, virtual hosts, exchanges, queues, bindings, permissions, policies."""
        await Management(self.management_url).apply_definitions(definitions)


@contextmanager
def test_cluster() -> Iterator[Cluster]:
    """The running cluster, started when there is none; safe for many processes at once (pytest-xdist)."""
    state = open_state().part("test")
    me = Process(os.getpid(), birth(os.getpid()) or "")
    with state.lock(wait=True):
        cluster = running(state) or start(state, keep=False)
        write_leases(state, [*leases(state), me])
    try:
        yield cluster
    finally:
        with state.lock(wait=True):
            others = [lease for lease in leases(state) if lease != me]
            write_leases(state, others)
            if not others and not state.read(FILE).get("keep", True):
                stop(state)


test_cluster.__test__ = False  # type: ignore[attr-defined]  # pytest must not take it for a test


def running(state: State) -> Cluster | None:
    """The cluster of this state if all of its processes live."""
    known = state.read(FILE)
    if not known or not set(known["processes"]) <= set(left_behind(state)):
        return None
    return Cluster(known["postgres_url"], known["broker_url"], known["management_url"])


def start(state: State, keep: bool, report: Report = lambda who, what: None) -> Cluster:
    """Start on empty data (what a killed session left is thrown away); `keep` survives the sessions that use it."""
    stop(state)
    for server in ("postgres", "rabbitmq"):
        shutil.rmtree(state.folder / server, ignore_errors=True)
    (state.folder / "ports.json").unlink(missing_ok=True)
    servers = Servers(state, Ports(state, settings={}), report)
    cluster = Cluster(**asdict(servers.start()))
    state.write(FILE, {**asdict(cluster), "keep": keep, "processes": list(left_behind(state)), "leases": []})
    return cluster


def keep(state: State) -> Cluster | None:
    """Let a running cluster live on when its last user has gone."""
    state.write(FILE, {**state.read(FILE), "keep": True})
    return running(state)


def stop(state: State) -> None:
    """End its processes at once: their data is thrown away by the next start, so nothing needs to be saved."""
    with ThreadPoolExecutor() as pool:
        for process in left_behind(state).values():
            pool.submit(process.stop, signal.SIGQUIT, 2.0)
    forget(state)
    (state.folder / FILE).unlink(missing_ok=True)


def leases(state: State) -> list[Process]:
    """The living processes that use the cluster."""
    every = [remembered(lease) for lease in state.read(FILE).get("leases", [])]
    return [lease for lease in every if lease.alive()]


def write_leases(state: State, using: list[Process]) -> None:
    """Remember who uses it."""
    state.write(FILE, {**state.read(FILE), "leases": [lease.written() for lease in using]})
