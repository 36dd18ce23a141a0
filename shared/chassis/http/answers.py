"""What a handler returned, as bytes of exactly the shape it declared."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from chassis.http.headers import JSON
from chassis.http.models import Answer
from chassis.http.plans import Plan


def responder(plan: Plan) -> Callable[[Any], web.Response]:
    """For one route. What it makes raises TypeError or PydanticSerializationError for anything not declared."""
    usual, empty, named = plan.statuses[0], plan.empty_status, plan.route.handler.__qualname__
    to_json = plan.answer.serializer.to_json if plan.answer is not None else None

    def respond(result: Any) -> web.Response:
        status, headers = usual, None
        if isinstance(result, Answer):
            status, headers, result = result.status or usual, result.headers, result.body
            if status not in plan.statuses:
                raise TypeError(f"{named} answered {status}; its route does not declare it")
        if result is None and empty is not None:
            return web.Response(status=empty if headers is None else status, headers=headers)
        if to_json is None:
            raise TypeError(f"{named} answered something; it does not say that it would")
        # A value of the very class was checked when it was made; of others, pydantic checks every part, for 1 µs.
        body = to_json(result) if type(result) is plan.exact else to_json(result, warnings="error")
        answer = web.Response(body=body, status=status, headers=JSON)
        if headers:
            answer.headers.update(headers)
        return answer

    return respond
