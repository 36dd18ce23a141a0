"""Reading a request body: bounded in bytes and in time, and JSON without the corners that readers disagree about."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from chassis.http.problems import BodyTooLarge, BodyTooSlow, MalformedJson, MalformedRequest, UnsupportedMediaType
from chassis.http.sentences import field

BODY_SECONDS: Final = 5.0
_JSON: Final = re.compile(r"application/(json|[\w.+-]+\+json)")
EXPECTS: Final = web.RequestKey("expects-100-continue", bool)


async def receive(request: web.Request, *, limit: int, seconds: float = BODY_SECONDS) -> AsyncIterator[bytes]:
    """The body as it arrives, for a handler that takes the request itself and stores something large.

    Raises BodyTooLarge beyond `limit` bytes, BodyTooSlow when it has not all come within `seconds`, MalformedRequest
    when its framing is broken or the caller went away.
    """
    if (request.content_length or 0) > limit:
        raise BodyTooLarge
    if request.get(EXPECTS):
        await _let_it_come(request)
    deadline = asyncio.get_running_loop().time() + seconds
    received = 0
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await request.content.readany()
        except TimeoutError:
            raise BodyTooSlow from None
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            raise MalformedRequest from None
        received += len(chunk)
        if received > limit:
            raise BodyTooLarge
        if not chunk:
            return
        yield chunk


async def read_json(request: web.Request, limit: int, seconds: float | None = None) -> bytes:
    """The body, of the right type, within bounds (None: BODY_SECONDS), and JSON that every reader understands alike."""
    _check_type(request)
    content = request.content
    if content.is_eof() and not request.get(EXPECTS) and (request.content_length or 0) <= limit:
        raw = content.read_nowait(limit + 1)  # it came with the headers, as nearly always: no timer, no copy
        if len(raw) > limit:
            raise BodyTooLarge
    else:
        raw = b"".join([chunk async for chunk in receive(request, limit=limit, seconds=seconds or BODY_SECONDS)])
    _check_json(raw)
    return raw


async def expect(request: web.Request) -> None:
    """Note an `Expect: 100-continue`; the body is called for when somebody wants to read it, not before."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= (1, 1):
        request[EXPECTS] = True


async def _let_it_come(request: web.Request) -> None:
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # nothing of the answer itself has been sent
    request[EXPECTS] = False


def _check_type(request: web.Request) -> None:
    media_type = request.content_type
    if not _JSON.fullmatch(media_type):
        raise UnsupportedMediaType
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise UnsupportedMediaType


def _check_json(raw: bytes) -> None:
    """Refuse what one reader takes so and another so: double keys, NaN, endless numbers, NUL, a foreign encoding.

    pydantic reads the same bytes afterwards; it would silently keep the last of two equal keys, and NUL is a letter to
    it that PostgreSQL cannot store.
    """
    try:
        text = raw.decode()
        parsed = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"{error.lineno}行目{error.colno}文字目"
        raise MalformedJson.because("json_invalid", f"JSONの文法に誤りがあります（{where}）。") from None
    except UnicodeDecodeError:
        raise MalformedJson.because("encoding", "UTF-8で送信してください。") from None
    except RecursionError:
        raise MalformedJson.because("nesting", "入れ子が深すぎます。") from None
    except ValueError:
        raise MalformedJson.because("number", "扱えない大きさの数値が含まれています。") from None
    if "u0000" in text and (found := _find_nul(parsed)) is not None:
        raise MalformedJson.because("nul", "使用できない文字（NUL）が含まれています。", field("body", *found))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # None goes on
        raise MalformedJson.because("duplicate_key", "同じ名前の項目が重複しています。", field("body", twice))
    return members


def _no_constant(_: str) -> float:
    raise MalformedJson.because("number", "NaNやInfinityは使用できません。")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _find_nul(value: object, *path: int | str) -> tuple[int | str, ...] | None:
    if isinstance(value, str):
        return path if "\0" in value else None
    if isinstance(value, dict):
        if any("\0" in key for key in value):
            return path
        inner: Any = value.items()
    else:
        inner = enumerate(value) if isinstance(value, list) else ()
    return next((found for key, one in inner if (found := _find_nul(one, *path, key)) is not None), None)
