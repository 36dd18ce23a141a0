"""Reading what a form sends: bounded in bytes and in time."""

import asyncio
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from portal.troubles import MalformedForm
from portal.visits import Visit

MOST: Final = 128 * 1024
SECONDS: Final = 20.0


async def read_form(visit: Visit, limit: int) -> None:
    """Fill the visit's `form` and `choices`. Raises MalformedForm."""
    request = visit.request
    if (request.content_length or 0) > limit:
        raise MalformedForm
    try:
        async with asyncio.timeout(SECONDS):
            found = await request.clone(client_max_size=limit).post()
    except (
        web.HTTPException,
        web.RequestPayloadError,
        HttpProcessingError,
        TimeoutError,
        ConnectionError,
        ValueError,
        LookupError,
        AssertionError,
    ) as error:
        raise MalformedForm from error
    choices: dict[str, list[Any]] = {}
    for name, value in found.items():
        choices.setdefault(name, []).append(value)
    visit.choices = {name: [one for one in values if isinstance(one, str)] for name, values in choices.items()}
    visit.form = {name: values[-1] for name, values in choices.items()}


def close_files(visit: Visit) -> None:
    """Let go of what was uploaded."""
    for value in visit.form.values():
        if isinstance(value, web.FileField):
            value.file.close()
