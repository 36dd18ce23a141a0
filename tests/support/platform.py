"""The platform of one pytest worker: own virtual hosts and databases on shared servers, services in this process."""

import asyncio
import hashlib
import importlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import aio_pika
import asyncpg
from yarl import URL

from chassis.amqp.topology import definitions
from chassis.messages import BATCH, Envelope, Message, encode, new_id
from chassis.service import Runtime, Service, running
from chassis.settings import Settings
from chassis.sql import Database, migrate
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from deploy.local.databases import with_database, with_login
from tests.support import sealing
from tests.support.keys import Signer

NAMES = ("identity", "accounts", "applications", "notifier", "audit")
SERVICES = Path(__file__).parents[2] / "services"
ROLES_LOCK = 0x726F_6C65
PASSWORD = hashlib.sha256(b"every role and broker user of tests").hexdigest()[:24]
"""One for all platforms: they share servers, and whoever prepares a platform sets the passwords anew."""


def services() -> dict[str, Service]:
    """The services that exist, by name."""
    found = [name for name in NAMES if (SERVICES / name / "service.py").exists()]
    return {name: importlib.import_module(f"{name}.service").service for name in found}


class Platform:
    """Starts services on real sockets and speaks for those who are not there; an asynchronous context manager."""

    def __init__(self, cluster: Cluster, folder: Path, signer: Signer, of: Mapping[str, Service] | None = None) -> None:
        """`of`: other services than the platform's own."""
        self.cluster = cluster
        self.folder = folder
        self.signer = signer
        self.services = dict(of) if of is not None else services()
        self.prefix = f"t{secrets.token_hex(4)}"
        self.host = f"{self.prefix}_platform"
        self.partner_host = f"{self.prefix}_nexi"
        self._password = PASSWORD
        self._stack = AsyncExitStack()
        self._started: dict[str, Runtime] = {}
        self._serial = 0
        self.nexi = Speaker(self.broker("nexi", self.partner_host), "nexi")

    async def __aenter__(self) -> Self:
        """Make virtual hosts, users, topology, databases."""
        try:
            await self._prepare()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop what was started and remove what was made."""
        await self._stack.aclose()
        for host in (self.host, self.partner_host):
            await self.cluster.delete_virtual_host(host)
        server = await asyncpg.connect(self.cluster.postgres_url)
        try:
            for name in self.services:
                await server.execute(f"drop database if exists {self.prefix}_{name} with (force)")
        finally:
            await server.close()

    async def _prepare(self) -> None:
        users = dict.fromkeys([*self.services, "nexi"], self._password)
        for host in (self.host, self.partner_host):
            await self.cluster.create_virtual_host(host)
        await self.cluster.apply_definitions(
            definitions(self.services.values(), users, platform=self.host, partner=self.partner_host)
        )
        for name, service in self.services.items():
            await self._prepare_database(name, service)

    async def _prepare_database(self, name: str, service: Service) -> None:
        server = await asyncpg.connect(self.cluster.postgres_url)
        try:
            await server.execute("select pg_advisory_lock($1)", ROLES_LOCK)
            for role in (f"{name}_owner", name):
                if not await server.fetchval("select true from pg_roles where rolname = $1", role):
                    await server.execute(f"create role {role} login")
                await server.execute(f"alter role {role} password '{self._password}'")
            await server.execute(f"create database {self.prefix}_{name} owner {name}_owner template template0")
        finally:
            await server.close()
        await migrate(self.owner_database(name), name, service.migrations)

    def broker(self, user: str, host: str | None = None) -> str:
        """The broker as one of its users sees it."""
        place = self.cluster.broker_url.rpartition("@")[2]
        return f"amqp://{user}:{self._password}@{place}/{host or self.host}"

    def database(self, name: str) -> str:
        """A service's database with its runtime role."""
        return with_login(with_database(self.cluster.postgres_url, f"{self.prefix}_{name}"), name, self._password)

    def owner_database(self, name: str) -> str:
        """A service's database with its owner role, for looking behind the curtain."""
        return with_login(self.database(name), f"{name}_owner", self._password)

    def settings(self, name: str, **overrides: Any) -> Settings:
        """What the service is told; everything can be overridden."""
        self._serial += 1
        given: dict[str, Any] = {
            "database_url": self.database(name),
            "owner_database_url": self.owner_database(name),
            "broker_url": self.broker(name),
            "partner_broker_url": self.broker(name, self.partner_host),
            "identity_keys_url": self.signer.url,
            "member": f"{self.prefix}-{self._serial}",
            "state": self.folder / name,
            "spool": self.folder / "letters",
            "log_format": "text",
        }
        given["state"].mkdir(parents=True, exist_ok=True)
        if name == "notifier":
            sealing.STATES.add(given["state"])
        return self.services[name].settings(**(given | overrides))

    async def start(self, name: str, **overrides: Any) -> Runtime:
        """The service, started once for all tests on this platform, with what it needs to be ready."""
        if name not in self._started:
            self._started[name] = await self._stack.enter_async_context(self.running(name, **overrides))
        return self._started[name]

    def is_running(self, name: str) -> bool:
        """Whether a test of this worker started the service for all."""
        return name in self._started

    @asynccontextmanager
    async def running(self, name: str, **overrides: Any) -> AsyncIterator[Runtime]:
        """One more process of the service, as it were; stops at the end of the block."""
        async with running(self.services[name], self.settings(name, **overrides)) as runtime:
            async with asyncio.timeout(20):
                await runtime.revocations.caught_up.wait()
            yield runtime

    def headers(self, caller: Caller, versions: Mapping[str, int] | None = None) -> dict[str, str]:
        """The request header with which a caller comes."""
        return self.signer.headers(caller, versions)

    async def say(self, service: str, *messages: Message, **envelope: Any) -> list[UUID]:
        """Publish as a service that need not be running; answers the ids."""
        async with Speaker(self.broker(service), service) as speaker:
            return await speaker.publish(*messages, **envelope)

    @asynccontextmanager
    async def hears(self, *kinds: type[Message] | str) -> AsyncIterator["Spy"]:
        """Tap the exchanges for these messages while inside."""
        host = f"{self.cluster.broker_url}/{self.host}"
        connection = await aio_pika.connect(host)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            for kind in kinds:
                key = kind if isinstance(kind, str) else kind.wire_type()
                await queue.bind(
                    "commands" if not isinstance(kind, str) and kind.exchange == "commands" else "events", key
                )
            spy = Spy()
            await queue.consume(spy.put, no_ack=True)
            yield spy

    @asynccontextmanager
    async def owner(self, name: str) -> AsyncIterator[Database]:
        """A service's database with the owner's rights."""
        database = await Database.connect(self.owner_database(name), source=f"test-{name}", size=2)
        try:
            yield database
        finally:
            await database.close()


class Speaker:
    """Somebody who publishes on the broker: a service that is not running, or NEXI's systems."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self.name = name
        self._connection: Any = None

    async def __aenter__(self) -> "Speaker":
        self._connection = aio_pika.Connection(URL(self._url))  # ours to close even when it never comes up
        await self._connection.connect()
        self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
        self._connection = None

    async def publish(
        self,
        *messages: Message,
        ids: list[UUID] | None = None,
        time: datetime | None = None,
        sequence: int | None = None,
    ) -> list[UUID]:
        """Publish with confirms; with `ids` the same message can be said twice."""
        if self._connection is None:
            async with self:
                return await self.publish(*messages, ids=ids, time=time, sequence=sequence)
        given = ids or [new_id() for _ in messages]
        for event_id, message in zip(given, messages, strict=True):
            envelope = Envelope(
                event_id, message.wire_type(), f"/{self.name}", time or datetime.now(UTC), None, sequence
            )
            await self.publish_raw(
                encode([(envelope, message.model_dump_json())]), message.exchange, message.wire_type()
            )
        return given

    async def publish_raw(self, body: bytes, exchange: str, key: str, content_type: str = BATCH) -> None:
        """Publish bytes as they are."""
        if self._connection is None:
            async with self:
                await self.publish_raw(body, exchange, key, content_type)
            return
        place = await self._channel.get_exchange(exchange, ensure=False)
        message = aio_pika.Message(
            body, content_type=content_type, user_id=self.name, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
        )
        await place.publish(message, routing_key=key, timeout=10)


class Spy:
    """The envelopes that passed while a test listened."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._new = asyncio.Event()

    async def put(self, delivery: Any) -> None:
        """Take one message of the broker apart."""
        self.seen += json.loads(delivery.body)
        self._new.set()

    async def next(self, timeout: float = 15.0, **data: Any) -> dict[str, Any]:
        """The first envelope, taken from `seen`, whose data has these values; waits for it."""
        async with asyncio.timeout(timeout):
            while True:
                for place, envelope in enumerate(self.seen):
                    if all(envelope["data"].get(name) == value for name, value in data.items()):
                        return self.seen.pop(place)
                self._new.clear()
                await self._new.wait()
