"""A small gateway that uses everything the HTTP layer offers; the tests of this folder are its clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from chassis.http import Problem, Route, Routes, Serving, Unauthenticated, build_application, serve
from chassis.sql import Database
from tests.chassis.http.doors import routes
from tests.chassis.http.shapes import CALLERS, Caller, Notebook


async def authenticate(request: web.Request) -> Caller:
    """The bearer token is the caller's name."""
    caller = CALLERS.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
    if caller is None:
        raise Unauthenticated
    return caller


@dataclass(frozen=True)
class Sample:
    """The sample at work."""

    serving: Serving
    database: Database
    notebook: Notebook

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.serving.url

    def clients(self) -> int:
        """How many are connected, as far as it has noticed."""
        server = self.serving._runner.server
        return sum(one.transport is not None for one in server.connections) if server else 0


@asynccontextmanager
async def running(database: Database, group: Routes = routes, **options: Any) -> AsyncIterator[Sample]:
    """Serve the sample on a free port."""
    notebook = Notebook()

    async def on_refused(request: web.Request, route: Route, caller: Caller | None, problem: Problem) -> None:
        notebook.refused.append((route.path, caller.name if caller else "-", type(problem).__name__))

    application = build_application(
        name="sample",
        title="Sample",
        version="1",
        routes=[group],
        caller_type=Caller,
        authenticate=authenticate,
        provides={Notebook: notebook},
        database=database,
        registry=CollectorRegistry(),
        on_refused=on_refused,
        **options,
    )
    serving = await serve(application, "127.0.0.1", 0)
    try:
        yield Sample(serving, database, notebook)
    finally:
        notebook.released.set()
        await serving.stop()
