"""What the sample gateway knows: its callers, its tables, and the shapes that come in and go out."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chassis.http import Body, Problem, View
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
    begun: asyncio.Event = field(default_factory=asyncio.Event)
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
