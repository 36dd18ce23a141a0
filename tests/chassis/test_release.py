"""What a service's release does, alone and on any server: `migrate` closes its database, `declare` makes its queues."""

import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from chassis import command_line
from chassis.amqp.topology import PARTNER, definitions
from chassis.service import Service
from chassis.settings import Settings
from deploy.local.cluster import Cluster
from deploy.local.databases import with_login
from deploy.local.management import Management, segment
from tests.support.platform import NAMES, Platform

KEPT = ("name", "user", "source", "destination", "routing_key", "arguments", "type", "configure", "write", "read")
MADE = ("queues", "exchanges", "bindings", "permissions", "topic-permissions")


async def test_only_a_service_enters_its_database_however_it_was_made(platform: Platform) -> None:
    identity = platform.database("identity")
    stranger = with_login(identity, "accounts", urlsplit(identity).password or "")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)
    connection = await asyncpg.connect(identity)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("create table own (number int)")
    finally:
        await connection.close()


Hosts = tuple[str, str]


@pytest.fixture
async def hosts(cluster: Cluster) -> AsyncIterator[list[Hosts]]:
    """Two pairs of virtual hosts (the platform's, NEXI's) that nobody has made yet."""
    names = [f"trial{secrets.token_hex(4)}" for _ in range(2)]
    yield [(f"{name}_platform", f"{name}_nexi") for name in names]
    for name in names:
        await cluster.delete_virtual_host(f"{name}_platform")
        await cluster.delete_virtual_host(f"{name}_nexi")


def told(platform: Platform, service: str, hosts: Hosts) -> Settings:
    """The service's settings with other virtual hosts, and the operator's address of the broker."""
    own: dict[str, Any] = {"nexi_url": platform.broker(PARTNER, hosts[1])} if service == "applications" else {}
    return platform.settings(
        service,
        broker_url=platform.broker(service, hosts[0]),
        partner_broker_url=platform.broker(service, hosts[1]),
        management_url=platform.cluster.management_url,
        **own,
    )


def made(cluster: Cluster, host: str) -> dict[str, list[str]]:
    """What there is in a virtual host, beside what the broker makes by itself and the operator's own rights."""
    management = Management(cluster.management_url)
    found = {}
    for kind in MADE:
        path = f"/vhosts/{segment(host)}/{kind}" if "permissions" in kind else f"/{kind}/{segment(host)}"
        entries = [one for one in management.call("GET", path) if one.get("user") != management.user]
        found[kind] = sorted(str({key: one[key] for key in KEPT if key in one}) for one in entries)
    return found


async def test_services_that_declare_themselves_make_together_what_the_platform_needs(
    platform: Platform, hosts: list[Hosts]
) -> None:
    alone, together = hosts
    for name in (*NAMES, *NAMES):  # again: it changes nothing
        assert await command_line.declare(platform.services[name], told(platform, name, alone)) == 0
    passwords = {user: urlsplit(platform.broker(user)).password or "" for user in (*NAMES, PARTNER)}
    whole = definitions(platform.services.values(), passwords, platform=together[0], partner=together[1])
    await platform.cluster.apply_definitions(whole)
    for own, other in zip(alone, together, strict=True):
        assert made(platform.cluster, own) == made(platform.cluster, other)


async def test_a_declaration_that_fails_says_why(
    platform: Platform, hosts: list[Hosts], capsys: pytest.CaptureFixture[str]
) -> None:
    service: Service = platform.services["audit"]
    stranger = platform.cluster.management_url.replace("//operator:", "//stranger:")
    for url, words in (("http://127.0.0.1:9", "does not answer"), (stranger, "refused (401)")):
        settings = told(platform, "audit", hosts[0]).model_copy(update={"management_url": url})
        assert await command_line.declare(service, settings) == 1
        assert words in capsys.readouterr().err
    assert await command_line.declare(service, platform.settings("audit")) == 2
    assert "AUDIT_MANAGEMENT_URL is missing" in capsys.readouterr().err
