"""The table of doors: which method and path leads to which handler, who may, and whether a one-time password is due."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Required, TypedDict, TypeVar, Unpack

from chassis.http.problems import Problem

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request body unless the route says otherwise."""

HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[Any]])


class Public(Enum):
    """The explicit word for a door that is open to everybody."""

    PUBLIC = "public"


PUBLIC: Final = Public.PUBLIC


class Options(TypedDict, total=False):
    """What a door says about itself."""

    needs: Required[StrEnum | Public]
    """What `caller.may` must contain, or PUBLIC."""
    step_up: bool
    """False frees the door from the one-time password (a public one is always free)."""
    status: int | Sequence[int]
    """200, or 204 for a handler that returns None; several for an `Answer` to choose from, the usual one first."""
    body_limit: int
    """Bytes."""
    body_seconds: float
    """Within which the body must have come; a few unless said otherwise, which is little for a large one."""
    raises: Sequence[type[Problem]]
    """Problems that the handler raises rather than returns, for the documentation."""
    takes: str
    """Media type of a body that the handler reads by itself, for the documentation."""
    gives: str
    """Media type of the stream that the handler answers, for the documentation."""


@dataclass(frozen=True, slots=True)
class Route:
    """One door as it was declared."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    tag: str
    needs: StrEnum | Public
    step_up: bool
    statuses: tuple[int, ...]
    body_limit: int
    body_seconds: float | None
    raises: tuple[type[Problem], ...]
    takes: str | None
    gives: str


class Routes:
    """The doors of one subject; `tag` groups them in the documentation."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **options: Unpack[Options]) -> Callable[[HandlerT], HandlerT]:
        """Read; HEAD is answered too, unless the handler streams."""
        return self._open("GET", path, options)

    def post(self, path: str, **options: Unpack[Options]) -> Callable[[HandlerT], HandlerT]:
        """Create, or do something."""
        return self._open("POST", path, options)

    def put(self, path: str, **options: Unpack[Options]) -> Callable[[HandlerT], HandlerT]:
        """Replace."""
        return self._open("PUT", path, options)

    def patch(self, path: str, **options: Unpack[Options]) -> Callable[[HandlerT], HandlerT]:
        """Change some of it."""
        return self._open("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[Options]) -> Callable[[HandlerT], HandlerT]:
        """Remove."""
        return self._open("DELETE", path, options)

    def _open(self, method: str, path: str, options: Options) -> Callable[[HandlerT], HandlerT]:
        needs = options.get("needs")
        if not isinstance(needs, StrEnum | Public):
            raise TypeError(f"{method} {path}: `needs` must be a permission (a StrEnum member) or PUBLIC")
        if unknown := options.keys() - Options.__annotations__.keys():
            raise TypeError(f"{method} {path}: no such option: {', '.join(sorted(unknown))}")
        status = options.get("status", ())

        def open_door(handler: HandlerT) -> HandlerT:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    handler=handler,
                    tag=self.tag,
                    needs=needs,
                    step_up=options.get("step_up", True) and needs is not PUBLIC,
                    statuses=(status,) if isinstance(status, int) else tuple(status),
                    body_limit=options.get("body_limit", BODY_LIMIT),
                    body_seconds=options.get("body_seconds"),
                    raises=tuple(options.get("raises", ())),
                    takes=options.get("takes"),
                    gives=options.get("gives", "*/*"),
                )
            )
            return handler

        return open_door
