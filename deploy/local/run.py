"""Starts the whole platform in order, watches over it until Ctrl-C, and tells tools where everything is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import asdict
from typing import Any

from deploy.local import catalogue, preparation
from deploy.local.journal import Journal
from deploy.local.ports import LOOPBACK, Ports
from deploy.local.processes import Process, birth
from deploy.local.seed import seeded
from deploy.local.servers import Addresses, Servers
from deploy.local.state import State
from deploy.local.supervisor import Stopped, Supervisor
from deploy.local.surroundings import Surroundings, common
from deploy.local.workers import Worker

FILE = "platform.json"
LAUNCHER = "launcher.json"  # who holds the state, from its first moment on
DEMO = "demo.json"
SERVERS, TOOLS, SERVICES = range(3)  # stages: stopped in reverse


def run(state: State, wanted: list[tuple[str, str]]) -> None:
    """Run these (process, service) pairs until somebody stops them; a Refusal leaves nothing running."""
    with state.lock():
        (state.folder / FILE).unlink(missing_ok=True)
        state.write(LAUNCHER, myself())
        supervisor = Supervisor(state)
        supervisor.end_left_behind()
        journal = Journal(state)
        journal.open()
        supervisor.heed_signals()
        try:
            with contextlib.suppress(Stopped):
                start(supervisor, wanted)
                supervisor.watch()
            supervisor.report("platform", "stopping")
        finally:
            (state.folder / FILE).unlink(missing_ok=True)
            supervisor.stop()
            supervisor.report("platform", "stopped; the data is kept")
            journal.close()


def start(supervisor: Supervisor, wanted: list[tuple[str, str]]) -> None:
    """Servers, mail catcher, databases, topology, services: each waits for the one before."""
    state, ports = supervisor.state, Ports(supervisor.state)
    services = list(dict.fromkeys(service for _, service in wanted))
    numbers = {name: ports.port(name) for name in [*(process for process, _ in wanted), "smtp", "inbox"]}
    addresses = start_servers(supervisor, ports)
    supervisor.check_stop()
    add_mail_catcher(supervisor, numbers)
    behind = catalogue.behind(services)
    supervisor.report("databases", f"preparing {', '.join(behind) or 'none'}")
    databases = preparation.prepare_databases(state, addresses, behind)
    surroundings = Surroundings(state, addresses, databases, numbers)
    preparation.migrate(surroundings, behind)
    supervisor.check_stop()
    supervisor.report("topology", "declaring queues and rights")
    preparation.declare(state, addresses, behind)
    for process, service in wanted:
        command = [sys.executable, "-m", service, "serve"]
        probe = surroundings.url(process) + "/ready"
        supervisor.add(process, command, surroundings.of(process, service), probe, SERVICES)
    supervisor.wait_ready()
    state.write(FILE, description(surroundings, wanted))
    people = demo_people(supervisor, services)
    welcome(supervisor, surroundings, wanted, people)


def start_servers(supervisor: Supervisor, ports: Ports) -> Addresses:
    """PostgreSQL and RabbitMQ; those we started are watched like everything else."""
    servers = Servers(supervisor.state, ports, supervisor.report)
    addresses = servers.start()
    for name, server in (("postgres", servers.postgres), ("rabbitmq", servers.rabbitmq)):
        if server:
            worker = Worker(name, server.start, None, SERVERS, server.stop, server.process, ready=True)
            supervisor.workers.append(worker)
    return addresses


def add_mail_catcher(supervisor: Supervisor, ports: dict[str, int]) -> None:
    """The server that takes every mail."""
    command = [sys.executable, "-m", "deploy.local.mailcatcher"]
    command += ["--smtp-port", str(ports["smtp"]), "--web-port", str(ports["inbox"])]
    command += ["--directory", str(supervisor.state.folder / "mails")]
    supervisor.add("mailcatcher", command, common(), inbox_url(ports), TOOLS)


def description(surroundings: Surroundings, wanted: list[tuple[str, str]]) -> dict[str, Any]:
    """platform.json: where tools, tests and the demo find everything (with passwords, so 0600)."""
    services: dict[str, dict[str, Any]] = {}
    for process, service in wanted:
        one = services.setdefault(service, {"urls": [], "environment": surroundings.operating(service)})
        one["urls"].append(surroundings.url(process))
    return {
        "supervisor": myself(),
        "postgres_url": surroundings.addresses.postgres_url,
        "broker_url": surroundings.addresses.broker_url,
        "management_url": surroundings.addresses.management_url,
        "services": services,
        "partner_broker_url": surroundings.broker_url(catalogue.PARTNER, catalogue.PARTNER),
        "partner_platform_url": surroundings.broker_url(catalogue.PARTNER, catalogue.PLATFORM),
        "smtp_port": surroundings.ports["smtp"],
        "inbox_url": inbox_url(surroundings.ports),
        "log": str(surroundings.state.folder / "platform.log"),
    }


def demo_people(supervisor: Supervisor, services: list[str]) -> list[dict[str, str]]:
    """The demo accounts; made on the first start of a whole platform, remembered until `reset`."""
    state = supervisor.state
    if not (known := state.read(DEMO)) and set(catalogue.NEEDED_BY_DEMO) <= set(services):
        supervisor.report("demo data", "two policyholders, their people, banks and notices")
        known = {"accounts": [asdict(one) for one in asyncio.run(seeded(state.read(FILE)))]}
        state.write(DEMO, known)
    return list(known.get("accounts", []))


def welcome(
    supervisor: Supervisor, surroundings: Surroundings, wanted: list[tuple[str, str]], people: list[dict[str, str]]
) -> None:
    """Where everything is, and how to stop."""
    supervisor.report("platform", "everything is ready")
    for process, service in wanted:
        page = "/" if service in catalogue.FRONT_ENDS else "/docs"
        supervisor.report(process, f"{surroundings.url(process)}{page}")
    supervisor.report("mails", inbox_url(surroundings.ports))
    for person in people:
        supervisor.report("demo account", f"{person['user_id']}  {person['password']}  {person['who']}")
    supervisor.report("log", str(supervisor.state.folder / "platform.log"))
    supervisor.report("stop", "Ctrl-C here, or `make stop`; `make reset` empties the data")


def myself() -> dict[str, Any]:
    """This process."""
    return Process(os.getpid(), birth(os.getpid()) or "").written()


def inbox_url(ports: dict[str, int]) -> str:
    """The mail catcher's page."""
    return f"http://{LOOPBACK}:{ports['inbox']}/"
