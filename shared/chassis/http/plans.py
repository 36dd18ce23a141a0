"""A handler's signature, read once at start: what it takes and from where, what it answers, what it refuses."""

import inspect
import re
import types
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin, get_type_hints

from aiohttp import web
from multidict import istr
from pydantic import BaseModel, TypeAdapter

from chassis.http.inputs import BodyInput, HeaderInput, Input, PathInput, QueryInput, query_input
from chassis.http.models import Answer, Body, Header
from chassis.http.problems import Problem
from chassis.http.routes import PUBLIC, Route
from chassis.sql import Database, Tx

_IN_PATH = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


@dataclass(frozen=True, slots=True)
class Plan:
    """One route, understood."""

    route: Route
    paths: tuple[PathInput, ...]
    headers: tuple[HeaderInput, ...]
    query: QueryInput
    body: BodyInput | None
    """None when the handler takes the request itself and reads, or does not read, the body as it likes."""
    injected: dict[str, type]
    answer: TypeAdapter[Any] | None
    exact: type | None
    """The class of every answer, where there is but one."""
    streams: bool
    statuses: tuple[int, ...]
    empty_status: int | None
    """The status of an answer without a body; None when the handler always shows something."""
    problems: tuple[type[Problem], ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Everything but the body."""
        return (*self.paths, *self.headers, self.query)

    @property
    def template(self) -> str:
        """The path with bare names in its braces."""
        return _IN_PATH.sub(r"{\1}", self.route.path)


class Unusable(TypeError):
    """A handler's signature cannot be served; the text says which and why."""


def compile_route(route: Route, caller_type: type, provided: Collection[type]) -> Plan:
    """Understand a route, or raise Unusable."""
    hints = get_type_hints(route.handler, include_extras=True)
    returned = hints.pop("return", inspect.Parameter.empty)
    signature = inspect.signature(route.handler).parameters
    names = _IN_PATH.findall(route.path)
    if lost := [name for name in names if name not in hints]:
        _unusable(route, f"the path names {', '.join(lost)}, the handler does not take it")
    injectable = {Tx, Database, web.Request, *provided} | (set() if route.needs is PUBLIC else {caller_type})
    headers, injected = [], {}
    for name in [name for name in signature if name not in (*names, "body", "query")]:
        hint: Any = hints.get(name)
        if header := _header(hint):
            headers.append(HeaderInput(name, istr(header.name), TypeAdapter(hint), signature[name].default))
        elif isinstance(hint, type) and hint in injectable:
            injected[name] = hint
        else:
            _unusable(route, f"nothing can be given for `{name}: {hint}`")
    _check_strict(route, [hints[name] for name in ("body", "query") if name in hints])
    takes_request = web.Request in injected.values()
    return Plan(
        route,
        paths=tuple(PathInput(name, TypeAdapter(hints[name])) for name in names),
        headers=tuple(headers),
        query=query_input(hints["query"]) if "query" in hints else QueryInput(),
        body=_body(route, hints.get("body"), takes_request),
        injected=injected,
        **_answers(route, returned),
    )


def _body(route: Route, hint: Any, takes_request: bool) -> BodyInput | None:
    if hint is None:
        return None if takes_request else BodyInput(None, route.body_limit, route.body_seconds)
    return BodyInput(TypeAdapter(hint), route.body_limit, route.body_seconds)


def _answers(route: Route, returned: Any) -> dict[str, Any]:
    if returned is inspect.Parameter.empty:
        _unusable(route, "it does not say what it returns")
    problems, shapes, empty, streams = list(route.raises), [], False, False
    for one in _members(returned):
        if one is types.NoneType:
            empty = True
        elif isinstance(one, type) and issubclass(one, Problem):
            problems.append(one)
        elif isinstance(one, type) and issubclass(one, web.StreamResponse):
            streams = True
        else:
            shapes.append(one)
    statuses = route.statuses or ((200,) if shapes or streams else (204,))
    return {
        "answer": _adapter(shapes) if shapes else None,
        "exact": shapes[0] if len(shapes) == 1 and isinstance(shapes[0], type) else None,
        "streams": streams,
        "statuses": statuses,
        "empty_status": (204 if shapes else statuses[0]) if empty else None,
        "problems": tuple(dict.fromkeys(problems)),
    }


def _adapter(shapes: list[Any]) -> TypeAdapter[Any]:
    union: Any = Union[tuple(shapes)]  # noqa: UP007 - as many as there are
    return TypeAdapter(union)


def _members(hint: Any) -> list[Any]:
    """The parts of a union, with what an `Answer[…]` holds in place of it."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType) or origin is Answer:
        return [member for part in get_args(hint) for member in _members(part)]
    return [hint]


def _header(hint: Any) -> Header | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((mark for mark in get_args(hint) if isinstance(mark, Header)), None)


def _check_strict(route: Route, pending: list[Any]) -> None:
    """Every model that is sent to us must refuse what it does not know, through and through."""
    seen = set()
    while pending:
        one = pending.pop()
        pending.extend(get_args(one))
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            seen.add(one)
            if not issubclass(one, Body):
                _unusable(route, f"{one.__name__} is sent by callers and must derive from Body")
            pending.extend(info.annotation for info in one.model_fields.values())


def _unusable(route: Route, why: str) -> NoReturn:
    raise Unusable(f"{route.method} {route.path} ({route.handler.__module__}.{route.handler.__qualname__}): {why}")
