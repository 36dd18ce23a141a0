"""Makes a process kill itself (SIGKILL) at a labelled point, without a line of test code in the product."""

import asyncio
import importlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

Test = Callable[..., bool]


def always(*_arguments: Any, **_named: Any) -> bool:
    """Every call is a visit."""
    return True


@dataclass(frozen=True)
class Point:
    """A place in a service's life: right before or right after a call of `target` (`module:attribute.path`).

    `when` sees the arguments of the call and says whether it is a visit at all.
    """

    service: str
    label: str
    target: str
    side: Literal["before", "after"]
    when: Test = always


def place_of(point: Point) -> tuple[Any, str]:
    """The owner and the name of what is called there. Raises AttributeError when it has gone."""
    module, _, path = point.target.partition(":")
    *way, name = path.split(".")
    return reduce(getattr, way, importlib.import_module(module)), name


def epitaph(service: str, label: str) -> bytes:
    """What a process writes when it comes to its point, so that no other death is taken for this one."""
    return f"killed at {service}: {label}\n".encode()


def die_at(service: str, label: str, visit: int) -> None:
    """Patch the point so that its `visit`-th visit ends this process at once."""
    from tests.faults.points import POINTS, VICTIM

    point = next(one for one in [*POINTS, *VICTIM] if (one.service, one.label) == (service, label))
    owner, name = place_of(point)
    original: Callable[..., Any] = getattr(owner, name)
    left = [visit]

    def visited(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if point.when(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                os.write(2, epitaph(service, label))
                os.kill(os.getpid(), signal.SIGKILL)

    async def waiting(*arguments: Any, **named: Any) -> Any:
        if point.side == "before":
            visited(arguments, named)
        result = await original(*arguments, **named)
        if point.side == "after":
            visited(arguments, named)
        return result

    def immediate(*arguments: Any, **named: Any) -> Any:
        if point.side == "before":
            visited(arguments, named)
        result = original(*arguments, **named)
        if point.side == "after":
            visited(arguments, named)
        return result

    setattr(owner, name, waiting if asyncio.iscoroutinefunction(original) else immediate)
