"""What happens at a door, in this order: who is it, may they, what do they send, is it valid; only then the handler."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from chassis.http.inputs import Arguments, Errors, Input, refuse
from chassis.http.models import Answer
from chassis.http.plans import Plan
from chassis.http.problems import Forbidden, Problem, StepUpRequired
from chassis.http.routes import PUBLIC, Route
from chassis.sql import Database, Tx

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Caller(Protocol):
    """What a door must know of whoever stands before it."""

    @property
    def may(self) -> frozenset[str]:
        """The permissions."""

    @property
    def stepped_up(self) -> bool:
        """Whether no one-time password is due any more."""


OnRefused = Callable[[web.Request, Route, Any, Problem], Awaitable[None]]
"""Told of every refused access: the request, the door, the caller (None when unknown), and the problem."""


@dataclass(frozen=True, slots=True)
class House:
    """What handlers are given, and who is asked about callers."""

    authenticate: Callable[[web.Request], Awaitable[Any]]
    provides: Mapping[type, object] = field(default_factory=dict)
    database: Database | None = None
    on_refused: OnRefused | None = None


def endpoint(plan: Plan, house: House) -> Handler:
    """The route as aiohttp serves it. Problems leave it as exceptions, whether they were raised or returned."""
    route, guarded = plan.route, plan.route.needs is not PUBLIC
    fixed, per_request = _givens(plan, house)
    tx_name = next((name for name, kind in plan.injected.items() if kind is Tx), None)
    transaction = house.database.transaction if house.database is not None else nullcontext
    respond = responder(plan)

    async def answer(request: web.Request) -> web.StreamResponse:
        caller = None
        try:
            if guarded:
                caller = await house.authenticate(request)
                _admit(route, caller)
            arguments = await _take(plan, request)
            arguments.update(fixed)
            for name, is_request in per_request:
                arguments[name] = request if is_request else caller
            if tx_name is None:
                result = await route.handler(**arguments)
            else:
                async with transaction() as tx:
                    arguments[tx_name] = tx
                    result = await route.handler(**arguments)
            if isinstance(result, Problem):
                raise result
        except Problem as problem:
            if problem.refuses_access and house.on_refused is not None:
                await house.on_refused(request, route, caller, problem)
            raise
        return result if isinstance(result, web.StreamResponse) else respond(result)

    return answer


def _givens(plan: Plan, house: House) -> tuple[Arguments, list[tuple[str, bool]]]:
    """What is the same for every request, and the names that take the request (True) or the caller (False)."""
    known = {**house.provides, Database: house.database}
    if house.database is None and {Tx, Database} & set(plan.injected.values()):
        raise TypeError(f"{plan.route.method} {plan.route.path} takes the database, but the service has none")
    others = {name: kind for name, kind in plan.injected.items() if kind is not Tx}
    fixed = {name: known[kind] for name, kind in others.items() if kind in known}
    return fixed, [(name, kind is web.Request) for name, kind in others.items() if kind not in known]


def _admit(route: Route, caller: Caller) -> None:
    if route.needs not in caller.may:
        raise Forbidden
    if route.step_up and not caller.stepped_up:
        raise StepUpRequired


async def _take(plan: Plan, request: web.Request) -> Arguments:
    arguments: Arguments = {}
    errors: Errors = []
    sources: tuple[Input, ...] = (*plan.paths, *plan.headers, plan.query)
    for source in sources:
        source.read(request, arguments, errors)
    if plan.body is not None:
        await plan.body.read(request, arguments, errors)
    refuse(errors)
    return arguments


def responder(plan: Plan) -> Callable[[Any], web.Response]:
    """Turns what the handler returned into bytes of exactly the declared shape."""
    usual, allowed, empty = plan.statuses[0], {*plan.statuses, plan.empty_status}, plan.empty_status
    to_json = plan.answer.serializer.to_json if plan.answer is not None else None

    def respond(result: Any) -> web.Response:
        status, headers = usual, None
        if isinstance(result, Answer):
            status, headers, result = result.status or usual, result.headers, result.body
            if status not in allowed:
                raise TypeError(f"{plan.route.handler.__qualname__} answered {status}; its route does not declare it")
        if result is None and empty is not None:
            return web.Response(status=empty if headers is None else status, headers=headers)
        if to_json is None:
            raise TypeError(f"{plan.route.handler.__qualname__} answered something, though it declares nothing")
        body = to_json(result, warnings="error")
        return web.Response(body=body, status=status, headers=headers, content_type="application/json")

    return respond
