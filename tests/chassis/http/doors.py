"""The doors of the sample gateway: each kind of argument, answer and failure that the HTTP layer knows."""

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import Field

from chassis.http import PUBLIC, Answer, Header, NotFound, Routes, receive
from chassis.sql import Database, Tx
from tests.chassis.http.shapes import Attempt, Caller, May, NewThing, Notebook, Refusing, Search, Taken, Thing

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
    notebook.begun.set()
    await notebook.released.wait()
    notebook.finished.append("slow")
