"""What happens at a door, in this order: who is it, may they, what do they send, is it valid; only then the handler."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from chassis.http.answers import responder
from chassis.http.inputs import Arguments, BodyInput, Errors, Input
from chassis.http.plans import Plan
from chassis.http.problems import Forbidden, Invalid, Problem, StepUpRequired
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
    inputs = plan.inputs
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
            arguments = fixed.copy()
            await _read(request, inputs, plan.body, arguments)
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


async def _read(request: web.Request, inputs: tuple[Input, ...], body: BodyInput | None, arguments: Arguments) -> None:
    """Everything that is wrong is said at once."""
    errors: Errors = []
    for source in inputs:
        source.read(request, arguments, errors)
    if body is not None:
        await body.read(request, arguments, errors)
    if errors:
        raise Invalid(errors)


def _admit(route: Route, caller: Caller) -> None:
    if route.needs not in caller.may:
        raise Forbidden
    if route.step_up and not caller.stepped_up:
        raise StepUpRequired
