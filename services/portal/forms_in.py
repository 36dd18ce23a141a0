"""Reading what a form sends: bounded in bytes and in time."""

import asyncio
import hashlib
from io import BufferedReader
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from portal.troubles import MalformedForm
from portal.visits import Visit

MOST: Final = 128 * 1024
SECONDS: Final = 20.0


async def read_form(visit: Visit, limit: int) -> None:
    """Fill the visit's `form` and `choices`; all of it can be written as UTF-8. Raises MalformedForm."""
    request = visit.request
    if (request.content_length or 0) > limit:
        raise MalformedForm
    try:
        async with asyncio.timeout(SECONDS):
            found = await request.clone(client_max_size=limit).post()
        for value in found.values():
            (value.filename if isinstance(value, web.FileField) else str(value)).encode()
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


def fingerprint(visit: Visit) -> bytes:
    """The same for two clicks on one button only: who, where, all that was typed, and the files by name and content."""
    files = []
    for name, value in sorted(visit.form.items()):
        if isinstance(value, web.FileField):
            content = hashlib.file_digest(cast(BufferedReader, value.file), "sha256")  # never whole in memory
            files.append((name, value.filename, content.digest()))
            value.file.seek(0)
    sent = (visit.visitor, visit.request.path_qs, sorted(visit.choices.items()), files)
    return hashlib.sha256(repr(sent).encode()).digest()


def close_files(visit: Visit) -> None:
    """Let go of what was uploaded."""
    for value in visit.form.values():
        if isinstance(value, web.FileField):
            value.file.close()
