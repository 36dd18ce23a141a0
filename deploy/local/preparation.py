"""What stands between two empty servers and the services: databases with their roles, migrations, broker topology."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

from deploy.local.catalogue import PARTNER, PLATFORM
from deploy.local.databases import DatabaseUrls, prepare_database
from deploy.local.management import Management
from deploy.local.refusals import Refusal
from deploy.local.servers import Addresses
from deploy.local.state import ROOT, State
from deploy.local.surroundings import Surroundings, broker_password

MIGRATION_SECONDS = 600.0


def prepare_databases(state: State, addresses: Addresses, services: Sequence[str]) -> dict[str, DatabaseUrls]:
    """A database and two roles each; the passwords are kept in the state."""

    async def every() -> dict[str, DatabaseUrls]:
        return {
            service: await prepare_database(
                addresses.postgres_url, service, secret=lambda role: state.secret(f"database-{role}")
            )
            for service in services
        }

    try:
        return asyncio.run(every())
    except (OSError, asyncpg.PostgresError) as error:
        raise Refusal(
            f"PostgreSQL does not answer or refuses us ({error}): check POSTGRES_URL, or its log in {state.logs}."
        ) from error


def migrate(surroundings: Surroundings, services: Sequence[str]) -> None:
    """Bring every database to its newest shape, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda service: migrate_one(surroundings, service), services):
            pass


def migrate_one(surroundings: Surroundings, service: str) -> None:
    """`python -m <service> migrate`; its last words make the refusal."""
    answer = subprocess.run(
        [sys.executable, "-m", service, "migrate"],
        cwd=ROOT,
        env=surroundings.operating(service),
        capture_output=True,
        text=True,
        timeout=MIGRATION_SECONDS,
    )
    if answer.returncode != 0:
        words = "\n".join((answer.stderr or answer.stdout).strip().splitlines()[-8:])
        raise Refusal(f"The database of {service} could not be migrated:\n{words}")


def declare(state: State, addresses: Addresses, services: Sequence[str]) -> None:
    """Create the virtual hosts, users, queues and rights that the services need."""
    definitions = broker_definitions(state, services)
    management = Management(addresses.management_url)

    async def apply() -> None:
        for host in definitions["vhosts"]:
            await management.create_virtual_host(host["name"])
        await management.apply_definitions(definitions)

    asyncio.run(apply())


def broker_definitions(state: State, services: Sequence[str]) -> dict[str, Any]:
    """As the services themselves declare it, with the passwords of this state."""
    for folder in ("services", "shared"):
        if str(ROOT / folder) not in sys.path:
            sys.path.insert(0, str(ROOT / folder))
    topology = importlib.import_module("chassis.amqp.topology")
    found = [importlib.import_module(f"{name}.service").service for name in services]
    passwords = {user: broker_password(state, user) for user in [*services, PARTNER]}
    definitions: dict[str, Any] = topology.definitions(found, passwords, platform=PLATFORM, partner=PARTNER)
    return definitions
