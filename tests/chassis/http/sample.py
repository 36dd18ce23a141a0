"""A small gateway that uses everything the HTTP layer offers; the tests of this folder are its clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import ConfigDict, Field

from chassis.http import (
    PUBLIC,
    Answer,
    Body,
    Header,
    NotFound,
    Problem,
    Route,
    Routes,
    Serving,
    Unauthenticated,
    View,
    build_application,
    receive,
    serve,
)
from chassis.sql import Database, Tx
from chassis.text import full_width

TABLES = """
create table things (number int generated always as identity primary key, name text not null);
create table attempts (word text not null);
create table promises (word text unique deferrable initially deferred);
"""


class May(StrEnum):
    """What callers of the sample may do."""

    READ = "read"
    WRITE = "write"


class Kind(StrEnum):
    """Kinds of things."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Caller:
    """Somebody known."""

    name: str
    may: frozenset[str]
    stepped_up: bool = True


CALLERS = {
    "reader": Caller("reader", frozenset({"read"})),
    "writer": Caller("writer", frozenset({"read", "write"})),
    "fresh": Caller("fresh", frozenset({"read", "write"}), stepped_up=False),
}


@dataclass
class Notebook:
    """Something of the service's own that handlers ask for by type."""

    refused: list[tuple[str, str, str]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    finished: list[str] = field(default_factory=list)


class Place(Body):
    """Where something is."""

    city: Annotated[str, Field(min_length=1, max_length=20)]


class NewThing(Body):
    """A thing to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "りんご", "places": [{"city": "東京"}]}]})

    name: Annotated[str, full_width(10), Field(min_length=1)]
    amount: Annotated[int, Field(ge=0, le=1000)] = 0
    kind: Kind = Kind.RED
    since: date | None = None
    places: Annotated[tuple[Place, ...], Field(max_length=60)] = ()
    weight: float = 0
    extra: dict[str, Any] = Field(default_factory=dict)


class Search(Body):
    """What is looked for."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10
    kinds: tuple[Kind, ...] = ()
    word: str | None = None
    weight: float = 0


class Thing(View):
    """A thing."""

    number: int
    name: str


class Taken(Problem):
    """Somebody else has it."""

    status = 409
    detail = "すでに使われています。"


class Refusing(Problem):
    """It was tried and refused."""

    status = 409
    detail = "受け付けられません。"


class Attempt(Body):
    """How the handler is to end."""

    word: str
    ending: Literal["answer", "return", "raise", "break"] = "answer"


routes = Routes("things")
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


@routes.get("/things/{number}", needs=May.READ, raises=[NotFound])
async def read_thing(number: Number, database: Database) -> Thing:
    """One thing.

    By its number.
    """
    row = await database.fetchrow("select number, name from things where number = $1", number)
    if row is None:
        raise NotFound
    return Thing(**row)


@routes.get("/things", needs=May.READ)
async def list_things(query: Search, tx: Tx) -> list[Thing]:
    """Things, oldest first."""
    rows = await tx.fetch("select number, name from things order by number limit $1", query.limit)
    return [Thing(**row) for row in rows]


@routes.post("/things", needs=May.WRITE, status=(201, 200))
async def make_thing(
    body: NewThing, caller: Caller, tx: Tx, key: Annotated[str | None, Header("Idempotency-Key")] = None
) -> Answer[Thing] | Taken:
    """Make a thing."""
    if body.name == "取得済":
        return Taken(by=caller.name)
    row = await tx.fetchrow("insert into things (name) values ($1) returning number, name", body.name)
    return Answer(Thing(**row), headers={"Location": f"/things/{row['number']}", "X-Key": key or "-"})


@routes.delete("/things/{number}", needs=May.WRITE, step_up=False)
async def remove_thing(number: Number, tx: Tx) -> None:
    """Remove a thing, or nothing."""
    await tx.execute("delete from things where number = $1", number)


@routes.post("/attempts", needs=PUBLIC, status=204)
async def attempt(body: Attempt, tx: Tx) -> Refusing | None:
    """Write the word down, then end as asked."""
    await tx.execute("insert into attempts (word) values ($1)", body.word)
    if body.ending == "raise":
        raise Refusing
    if body.ending == "break":
        raise ValueError(f"secret {body.word}")
    return Refusing(word=body.word) if body.ending == "return" else None


@routes.post("/promises", needs=PUBLIC)
async def promise(body: Attempt, tx: Tx) -> Thing:
    """Two equal words are noticed by the database only at the commit."""
    await tx.execute("insert into promises (word) values ($1)", body.word)
    return Thing(number=1, name=body.word)


@routes.get("/export", needs=PUBLIC)
async def export(request: web.Request, query: Search, notebook: Notebook) -> web.StreamResponse:
    """Rows as they come; in the middle `word` may make it break, cancel, wait, or change its mind."""
    response = web.StreamResponse(headers={"Content-Type": "text/csv"})
    await response.prepare(request)
    for number in range(query.limit):
        await response.write(f"{number}\r\n".encode() * 100)
        if number == query.limit // 2:
            if query.word == "break":
                raise ValueError("secret")
            if query.word == "cancel":
                raise asyncio.CancelledError
            if query.word == "wait":
                await notebook.released.wait()
            if query.word == "change":
                return web.Response(text="something else")
    return response


@routes.post("/uploads", needs=May.WRITE)
async def upload(request: web.Request) -> Thing:
    """Take a large body piece by piece."""
    size = 0
    async for chunk in receive(request, limit=1_000_000, seconds=2):
        size += len(chunk)
    return Thing(number=size, name=request.content_type)


@routes.get("/broken", needs=PUBLIC)
async def broken() -> None:
    """Fails."""
    raise ValueError("secret")


@routes.get("/wrong-shape", needs=PUBLIC)
async def wrong_shape() -> Thing:
    """Answers what it did not declare."""
    return {"number": "one", "password": "secret"}  # type: ignore[return-value]


@routes.get("/slow", needs=PUBLIC)
async def slow(notebook: Notebook) -> None:
    """Waits until it is let go."""
    await notebook.released.wait()
    notebook.finished.append("slow")


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
