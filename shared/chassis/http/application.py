"""A service's gateway: every route compiled once, its documentation, and what operators ask."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import pydantic_core
from aiohttp import web
from prometheus_client import CollectorRegistry

from chassis.http import bodies, health
from chassis.http.endpoints import House, OnRefused, endpoint
from chassis.http.guard import LEAVING, finish, guard
from chassis.http.meters import Meters
from chassis.http.openapi import document
from chassis.http.pages import reference
from chassis.http.plans import Plan, compile_route
from chassis.http.routes import BODY_LIMIT, Routes
from chassis.http.sources import TRUSTED_PROXIES, Network
from chassis.sql import Database

CallerT = TypeVar("CallerT")


def build_application(
    *,
    name: str,
    title: str,
    version: str,
    description: str = "",
    routes: Sequence[Routes],
    caller_type: type[CallerT],
    authenticate: Callable[[web.Request], Awaitable[CallerT]],
    database: Database | None = None,
    provides: Mapping[type, object] | None = None,
    ready: Mapping[str, health.Check] | None = None,
    registry: CollectorRegistry | None = None,
    on_refused: OnRefused | None = None,
    trusted_proxies: Sequence[Network] = (),
) -> web.Application:
    """Everything that is served on a service's port. Raises Unusable for a handler that cannot be served.

    `authenticate` answers the caller or raises Unauthenticated. `provides` is given to handlers by type. `ready` are
    the checks that /ready makes. `on_refused` hears of every refused access, outside any transaction of the handler.
    `trusted_proxies` say where a request came from (see `source_of`).
    """
    registry = registry if registry is not None else CollectorRegistry()
    provides = provides or {}
    plans = compile_routes(routes, caller_type, provides)
    house = House(authenticate, provides, database, on_refused)
    application = web.Application(middlewares=[guard(Meters(registry))], client_max_size=BODY_LIMIT)
    application[LEAVING] = asyncio.Event()
    application[TRUSTED_PROXIES] = trusted_proxies
    application.on_response_prepare.append(finish)
    for plan in plans:
        serve = endpoint(plan, house)
        application.router.add_route(plan.route.method, plan.route.path, serve, expect_handler=bodies.expect)
        if plan.route.method == "GET" and not plan.streams:
            application.router.add_route("HEAD", plan.route.path, serve, expect_handler=bodies.expect)
    described = document(plans, title=title, version=version, description=description)
    _add_own_pages(application, name, described, health.ready(ready or {}), registry)
    return application


def compile_routes(routes: Sequence[Routes], caller_type: type, provided: Collection[type]) -> list[Plan]:
    """Every route understood; two routes of one method and path, or handlers of one name, are refused."""
    plans = [compile_route(route, caller_type, provided) for group in routes for route in group]
    named = [name for plan in plans for name in (f"{plan.route.method} {plan.template}", plan.route.handler.__name__)]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise TypeError(f"declared twice: {', '.join(twice)}")
    return plans


def _add_own_pages(
    application: web.Application, name: str, described: dict[str, Any], ready: Any, registry: CollectorRegistry
) -> None:
    as_json = pydantic_core.to_json(described)
    page, policy = reference(name, described)

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=as_json, content_type="application/json")

    async def docs(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})

    for path, handler in {
        "/openapi.json": openapi,
        "/docs": docs,
        "/live": health.live,
        "/ready": ready,
        "/metrics": health.metrics(registry),
    }.items():
        application.router.add_get(path, handler, expect_handler=bodies.expect)
