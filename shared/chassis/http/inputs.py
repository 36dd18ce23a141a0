"""Where a handler's arguments come from: path, query, headers and body, each read and validated by its annotation."""

import types
from collections.abc import Set
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

from aiohttp import web
from multidict import istr
from pydantic import BaseModel, TypeAdapter, ValidationError

from chassis.http.bodies import read_json
from chassis.http.problems import FieldError, MalformedJson
from chassis.http.sentences import field, field_errors

Errors = list[FieldError]
Arguments = dict[str, Any]


class Input(Protocol):
    """One source of arguments: adds what it read to `arguments`, or what was wrong to `errors`."""

    def read(self, request: web.Request, arguments: Arguments, errors: Errors) -> None:
        """Never raises because of what the request says."""


@dataclass(frozen=True, slots=True)
class PathInput:
    """A part of the path, by the name it has in the template."""

    name: str
    adapter: TypeAdapter[Any]

    def read(self, request: web.Request, arguments: Arguments, errors: Errors) -> None:
        """See Input."""
        text = request.match_info[self.name]
        if not _readable(text):
            errors.append(_unreadable(field("path", self.name)))
            return
        try:
            arguments[self.name] = self.adapter.validator.validate_python(text, strict=False)
        except ValidationError as error:
            errors.extend(field_errors(field("path", self.name), error))


@dataclass(frozen=True, slots=True)
class HeaderInput:
    """A request header; absent it takes the parameter's default."""

    name: str
    header: istr
    adapter: TypeAdapter[Any]
    default: Any

    def read(self, request: web.Request, arguments: Arguments, errors: Errors) -> None:
        """See Input."""
        if self.header not in request.headers and self.default is not Parameter.empty:
            arguments[self.name] = self.default
            return
        given, place = request.headers.getall(self.header, []), field("header", self.header)
        if not given:
            errors.append(FieldError(field=place, rule="missing", message="必須の項目です。"))
        elif len(given) > 1:
            errors.append(FieldError(field=place, rule="repeated", message="一度だけ指定してください。"))
        elif not _readable(given[0]):
            errors.append(_unreadable(place))
        else:
            try:
                arguments[self.name] = self.adapter.validator.validate_python(given[0], strict=False)
            except ValidationError as error:
                errors.extend(field_errors(place, error))


@dataclass(frozen=True, slots=True)
class QueryInput:
    """The whole query string as one model; without a model, nothing may be asked."""

    adapter: TypeAdapter[Any] | None = None
    lists: Set[str] = frozenset()

    def read(self, request: web.Request, arguments: Arguments, errors: Errors) -> None:
        """See Input."""
        if self.adapter is None and not request.query_string:
            return
        given: dict[str, Any] = {}
        found = len(errors)
        if request.query_string:
            for key, value in request.query.items():
                self._take(key, value, given, errors)
        if self.adapter is None or len(errors) > found:
            return
        try:
            arguments["query"] = self.adapter.validator.validate_python(given, strict=False)
        except ValidationError as error:
            errors.extend(field_errors("query", error))

    def _take(self, key: str, value: str, given: dict[str, Any], errors: Errors) -> None:
        if self.adapter is None:
            message = "この項目は受け付けていません。"
            errors.append(FieldError(field=field("query", key), rule="extra_forbidden", message=message))
        elif not _readable(value):
            errors.append(_unreadable(field("query", key)))
        elif key in self.lists:
            given.setdefault(key, []).append(value)
        elif key in given:
            errors.append(FieldError(field=field("query", key), rule="repeated", message="一度だけ指定してください。"))
        else:
            given[key] = value


@dataclass(frozen=True, slots=True)
class BodyInput:
    """The JSON body; without a type, none may be sent."""

    adapter: TypeAdapter[Any] | None
    limit: int
    seconds: float | None

    async def read(self, request: web.Request, arguments: Arguments, errors: Errors) -> None:
        """Read, then validate; raises the problems of an unreadable body at once."""
        if self.adapter is None:
            if request.body_exists and not request.content.at_eof():
                message = "リクエスト本文は受け付けていません。"
                errors.append(FieldError(field="body", rule="extra_forbidden", message=message))
            return
        raw = await read_json(request, self.limit, self.seconds)
        try:
            arguments["body"] = self.adapter.validator.validate_json(raw)
        except ValidationError as error:
            found = field_errors("body", error)
            if found[0]["rule"] == "json_invalid" and found[0]["field"] == "body":
                message = "JSONとして読み取れない文字、または深すぎる入れ子が含まれています。"
                raise MalformedJson.because("json_invalid", message) from None
            errors.extend(found)


def query_input(model: Any) -> QueryInput:
    """For a model: its fields that are lists may be repeated in the query."""
    fields = model.model_fields.items() if isinstance(model, type) and issubclass(model, BaseModel) else ()
    lists = frozenset(info.alias or name for name, info in fields if _is_list(info.annotation))
    return QueryInput(TypeAdapter(model), lists)


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, Annotated):
        return any(_is_list(one) for one in get_args(annotation))
    return origin in (list, tuple, set, frozenset)


def _readable(text: str) -> bool:
    """No NUL, which PostgreSQL cannot store, and no lone surrogate, which stands for a byte that is not UTF-8."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _unreadable(place: str) -> FieldError:
    return FieldError(field=place, rule="string_unicode", message="使用できない文字が含まれています。")
