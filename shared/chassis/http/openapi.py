"""The OpenAPI 3.1 document, drawn from the same plans that serve the requests."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter

from chassis.http import problems
from chassis.http.plans import Plan
from chassis.http.problems import Problem
from chassis.http.routes import PUBLIC

_REF = "#/components/schemas/{model}"
_ALWAYS = (problems.Busy, problems.InternalError, problems.MalformedRequest, problems.RequestHeadersTooLarge)
_GUARDED = (problems.Unauthenticated, problems.Forbidden)
_BODY = (problems.MalformedJson, problems.UnsupportedMediaType, problems.BodyTooLarge, problems.BodyTooSlow)
_MEDIA_TYPE = "application/problem+json"
Mode: TypeAlias = Literal["validation", "serialization"]
Wanted: TypeAlias = tuple[int, Mode, TypeAdapter[Any]]

_BYTES = {"type": "string", "format": "binary"}
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457: `type` names the kind of refusal, `instance` this one, `errors` the broken rules.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "rule", "message")},
            },
        },
    },
}


def document(plans: Sequence[Plan], *, title: str, version: str, description: str = "") -> dict[str, Any]:
    """The whole document. Schemas of equal names in different modules get their module's name."""
    wanted = [one for plan in plans for one in _adapters(plan)]
    schemas, shared = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    paths: dict[str, Any] = {}
    for plan in plans:
        paths.setdefault(plan.template, {})[plan.route.method.lower()] = _operation(plan, schemas)
    refusals = {problem for plan in plans for problem in _problems(plan)}
    shapes = shared.get("$defs", {})
    named = {problem.__name__: _refusal(problem) for problem in sorted(refusals, key=lambda one: one.__name__)}
    if twice := shapes.keys() & {*named, "Problem"}:
        raise TypeError(f"both a problem and a shape: {', '.join(sorted(twice))}")
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "tags": [{"name": tag} for tag in dict.fromkeys(plan.route.tag for plan in plans)],
        "paths": paths,
        "components": {
            "schemas": {**shapes, "Problem": _PROBLEM_SCHEMA, **named},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _adapters(plan: Plan) -> Iterable[Wanted]:
    coming = [*(one.adapter for one in plan.paths), *(one.adapter for one in plan.headers), plan.query.adapter]
    coming += [plan.body.adapter] if plan.body is not None else []
    yield from ((id(adapter), "validation", adapter) for adapter in coming if adapter is not None)
    if plan.answer is not None:
        yield id(plan.answer), "serialization", plan.answer


def _operation(plan: Plan, schemas: Any) -> dict[str, Any]:
    route, said = plan.route, inspect.getdoc(plan.route.handler) or ""
    summary, _, description = said.partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "tags": [route.tag],
        "summary": summary.strip(),
        "description": description.strip(),
        "parameters": list(_parameters(plan, schemas)),
        "responses": _responses(plan, schemas),
        "security": [] if route.needs is PUBLIC else [{"bearer": []}],
        "x-permission": route.needs.value,
        "x-step-up": route.step_up,
    }
    if plan.body is not None and plan.body.adapter is not None:
        schema = schemas[id(plan.body.adapter), "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif route.takes is not None:
        operation["requestBody"] = {"required": True, "content": {route.takes: {"schema": _BYTES}}}
    return operation


def _parameters(plan: Plan, schemas: Any) -> Iterable[dict[str, Any]]:
    for path in plan.paths:
        yield {"name": path.name, "in": "path", "required": True, "schema": schemas[id(path.adapter), "validation"]}
    for header in plan.headers:
        required = header.default is inspect.Parameter.empty
        schema = schemas[id(header.adapter), "validation"]
        yield {"name": header.header, "in": "header", "required": required, "schema": _without_null(schema)}
    if plan.query.adapter is not None:
        model = plan.query.adapter.json_schema(ref_template=_REF)
        for name, schema in model.get("properties", {}).items():
            schema = _without_null(schema)
            yield {"name": name, "in": "query", "required": name in model.get("required", ()), "schema": schema}


def _without_null(schema: Any) -> Any:
    """A parameter that is null is a parameter left out; nobody can write null in a query or a header."""
    if "anyOf" not in schema:
        return schema
    others = [one for one in schema["anyOf"] if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    return {**rest, **others[0]} if len(others) == 1 else {**rest, "anyOf": others}


def _responses(plan: Plan, schemas: Any) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in plan.statuses:
        responses[str(status)] = {"description": "Done."}
        if plan.streams:
            responses[str(status)]["content"] = {plan.route.gives: {}}
        elif plan.answer is not None:
            schema = schemas[id(plan.answer), "serialization"]
            responses[str(status)]["content"] = {"application/json": {"schema": schema}}
    if plan.empty_status is not None:
        responses.setdefault(str(plan.empty_status), {"description": "Done; nothing to show."})
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in _problems(plan):
        by_status.setdefault(problem.status, []).append(problem)
    for code, kinds in sorted(by_status.items()):
        refs = [{"$ref": _REF.format(model=kind.__name__)} for kind in kinds]
        responses[str(code)] = {
            "description": " / ".join(f"{kind.title}." for kind in kinds),
            "content": {_MEDIA_TYPE: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}},
        }
    return responses


def _problems(plan: Plan) -> list[type[Problem]]:
    """What the handler says, and what the layer before it may say."""
    found = [*plan.problems, problems.Invalid, *_ALWAYS]
    found += _GUARDED if plan.route.needs is not PUBLIC else ()
    found += (problems.StepUpRequired,) if plan.route.step_up else ()
    found += _BODY if plan.body is not None and plan.body.adapter is not None else ()
    found += (problems.NotFound,) if plan.paths else ()
    return list(dict.fromkeys(found))


def _refusal(problem: type[Problem]) -> dict[str, Any]:
    return {
        "title": problem.__name__,
        "description": f"{problem.title}. {problem.detail}",
        "allOf": [{"$ref": _REF.format(model="Problem")}],
        "properties": {"type": {"const": problem.type}, "status": {"const": problem.status}},
    }
