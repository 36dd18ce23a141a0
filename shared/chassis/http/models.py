"""The shapes that come in and go out: strict on the way in, exact on the way out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Body(BaseModel):
    """What a caller sends, as JSON body or query: types as written, no unknown field, no NaN."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True, validate_default=False
    )


class View(BaseModel):
    """What a caller is shown; built from a row with `View(**row)`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Header:
    """Marks a parameter as a request header: `key: Annotated[str | None, Header("Idempotency-Key")] = None`."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer that also says its status (one of the route's) or its headers; `-> Answer[Account]`."""

    body: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
