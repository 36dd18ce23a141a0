"""A service on one page: what it is made of, and how its process starts, stands and stops."""

import asyncio
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel

from chassis import trace
from chassis.amqp import Listeners
from chassis.amqp.connection import persist
from chassis.amqp.consumer import Consumer
from chassis.amqp.relay import Relay
from chassis.asyncapi import document
from chassis.background import background as background_work
from chassis.housekeeping import keep_house, retry_parked
from chassis.http import Problem, Route, Routes, Serving, build_application, health, serve, source_of
from chassis.messages import Message
from chassis.readiness import Check, can_serve, can_work
from chassis.revocations import Revocations
from chassis.settings import Settings
from chassis.sql import Database
from chassis.tokens import Verifier

log = structlog.get_logger()

FLUSH_SECONDS = 2.0

Provide = Callable[[Any, Database], AbstractAsyncContextManager[Mapping[type, object]]]


@asynccontextmanager
async def nothing(_settings: Settings, _database: Database) -> AsyncIterator[Mapping[type, object]]:
    """A service that provides no objects of its own."""
    yield {}


@dataclass(frozen=True)
class Service:
    """What a service is made of. `provides` opens the objects that handlers may ask for by type."""

    name: str
    title: str
    caller: type[BaseModel]
    settings: type[Settings]
    migrations: Path
    routes: Sequence[Routes] = ()
    listeners: Sequence[Listeners] = ()
    tasks: Sequence[Callable[..., Coroutine[Any, Any, None]]] = ()
    provides: Provide = nothing
    outlets: Mapping[str, Sequence[type[Message]]] = field(default_factory=dict)
    """Queues that others read (NEXI's systems): name → messages."""
    sends: Sequence[type[Message]] = ()
    """The commands it may send; the broker refuses others."""
    revocations: type[Message] | None = None
    """The event that ends sessions; all services hear the same one."""
    commands: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Operator commands: name → function(parser) answering a coroutine function, see command_line."""
    refusal: type[Message] | None = None
    """The event that records a refused access; made from the caller, the route and the problem."""
    deed: Callable[[str, str, str], Message] | None = None
    """The event that records an operator's command; made from a name, the command, and what it is about."""


@dataclass
class Runtime:
    """A started service."""

    url: str
    database: Database
    provides: Mapping[type, object]
    revocations: Revocations
    server: Serving


@asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[Runtime]:
    """Start a service in this process; leaving stops accepting, drains, stops consuming, and closes."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(trace.recording(settings.traces_url, service.name, settings.member))
        database = await Database.connect(
            settings.database_url, source=service.name, size=settings.database_connections
        )
        stack.push_async_callback(database.close)
        revocations = Revocations(f"{service.name}@{settings.member}", settings.broker_url)
        verifier = Verifier(service.caller, settings.identity_keys_url, revocations)
        own = await stack.enter_async_context(service.provides(settings, database))
        provides: dict[type, object] = {
            type(settings): settings, Database: database, Revocations: revocations, Verifier: verifier, **own
        }  # fmt: skip
        consumers = [Consumer(service.name, listeners, database, provides) for listeners in service.listeners]
        background = await stack.enter_async_context(background_work())
        application = _gateway(service, settings, provides, verifier, can_work(database, revocations, consumers))
        relay = Relay(database, settings.database_url, {"": settings.broker_url})
        background.start("relay", relay.run())
        stack.push_async_callback(_flush, database)
        for consumer, listeners in zip(consumers, service.listeners, strict=True):
            url = settings.broker_url_for(listeners.bindings[0][0])
            background.start(consumer.queue, persist(consumer.queue, partial(consumer.consume, url)))
        background.start("retries", retry_parked([consumer.hearing for consumer in consumers]))
        background.start("housekeeping", keep_house(database))
        stack.push_async_callback(revocations.leave)  # after the last request was answered, not before
        server = await serve(application, settings.host, settings.port)
        stack.push_async_callback(server.stop)
        revocations.member = f"{revocations.member}:{server.port}"
        background.start("access", persist("access", revocations.run))
        for task in service.tasks:
            background.start(task.__name__, task(**_arguments(task, provides)))
        log.info("started", url=server.url)
        yield Runtime(server.url, database, provides, revocations, server)
        log.info("stopping")


def _gateway(
    service: Service,
    settings: Settings,
    provides: Mapping[type, Any],
    verifier: Verifier[Any],
    ready: Mapping[str, Check],
) -> web.Application:
    """The service's routes, what it says and hears at /asyncapi.json, and at /serving whether it can answer."""
    database = provides[Database]
    application = build_application(
        name=service.name,
        title=service.title,
        version="1",
        routes=service.routes,
        caller_type=service.caller,
        authenticate=verifier,
        provides=provides,
        database=database,
        ready=ready,
        registry=_registry(),
        on_refused=_recorder(service.refusal, database) if service.refusal else None,
        trusted_proxies=settings.trusted_proxies,
    )
    contract = document([service], service.title)

    async def asyncapi(_: web.Request) -> web.Response:
        return web.json_response(contract)

    application.router.add_get("/asyncapi.json", asyncapi)
    application.router.add_get("/serving", health.ready(can_serve(application, ready)))
    return application


def _recorder(
    refusal: type[Message], database: Database
) -> Callable[[web.Request, Route, Any, Problem], Awaitable[None]]:
    """Refusals of known callers go to the trail; if that cannot be written, the refusal becomes a 503."""

    async def record(request: web.Request, route: Route, caller: Any, problem: Problem) -> None:
        if caller is None:
            return
        async with database.transaction() as tx:
            tx.emit(
                refusal(
                    operator=caller.operator,
                    session_id=caller.session_id,
                    source_address=source_of(request),
                    method=route.method,
                    path=route.path,
                    reason=type(problem).__name__,
                )
            )

    return record


class _ProcessMetrics(Collector):
    """What is counted for the whole process, beside one gateway's own counters."""

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_ProcessMetrics())
    return registry


def _arguments(task: Callable[..., Any], provides: Mapping[type, object]) -> dict[str, object]:
    hints = {name: hint for name, hint in typing.get_type_hints(task).items() if name != "return"}
    return {name: provides[hint] for name, hint in hints.items()}


async def _flush(database: Database) -> None:
    """Let the relay finish what is committed; what it cannot finish, the next start carries."""
    try:
        async with asyncio.timeout(FLUSH_SECONDS):
            while await database.fetchval("select exists (select from outbox)"):
                await asyncio.sleep(0.02)
    except Exception as error:
        log.info("left_in_outbox", error=type(error).__name__)
