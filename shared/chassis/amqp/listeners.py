"""A service's ears: which messages a queue brings and which function handles each."""

import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chassis.messages import Envelope, Message, Received
from chassis.sql import Tx

HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[Any]])
Bound = Callable[[Received[Any], Tx], Awaitable[None]]
BatchHandler = Callable[[Sequence[Envelope], Tx], Awaitable[Sequence[tuple[Envelope, str]]]]


class Park(Exception):
    """Raised by a listener: this event cannot be handled now.

    With `retry` it is tried again after growing pauses; under a `key` it is tried as soon as `wake(tx, key)` is called.
    Who wakes while it is being put aside finds nothing, so a key needs `retry` too, or somebody who looks again.
    """

    def __init__(self, reason: str, *, retry: bool = False, key: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.retry, self.key = reason, retry, key


@dataclass
class Listeners:
    """One queue, `<service>.<name>`, and its handlers. Its events are handled one after the other, in order."""

    name: str
    prefetch: int = 20
    handlers: dict[type[Message], Callable[..., Awaitable[Any]]] = field(default_factory=dict)
    batch_handler: Callable[..., Awaitable[Any]] | None = None
    batch_most: int = 1
    batch_bindings: tuple[tuple[str, str], ...] = ()

    def on(self, *kinds: type[Message]) -> Callable[[HandlerT], HandlerT]:
        """Hear messages of these classes. The handler names what it needs by type: the message itself (by the class
        that all of them are), `Received` (with id and time), `Tx`, and anything the service provides."""

        def register(handler: HandlerT) -> HandlerT:
            for kind in kinds:
                if kind in self.handlers:
                    raise TypeError(f"{self.name} hears {kind.wire_type()} twice")
                self.handlers[kind] = handler
            return handler

        return register

    def batch(self, *bindings: tuple[str, str], most: int = 1000) -> Callable[[HandlerT], HandlerT]:
        """Hear everything that matches the (exchange, pattern) bindings, up to `most` events in one transaction, and
        two transactions at a time.

        The handler gets the envelopes undecoded, must be idempotent by event id by itself, and answers the ones it
        refuses with a reason; those go to quarantine in the same transaction.
        """

        def register(handler: HandlerT) -> HandlerT:
            self.batch_handler, self.batch_most, self.batch_bindings = handler, most, bindings
            return handler

        return register

    @property
    def bindings(self) -> tuple[tuple[str, str], ...]:
        """The (exchange, routing key) pairs that bring messages to this queue."""
        return self.batch_bindings or tuple((kind.exchange, kind.wire_type()) for kind in self.handlers)

    def bound(self, provides: Mapping[type, object]) -> dict[str, tuple[type[Message], Bound]]:
        """The handlers by wire name, ready to be called. Raises TypeError for a parameter that nothing provides."""
        return {kind.wire_type(): (kind, bind(handler, kind, provides)) for kind, handler in self.handlers.items()}

    def bound_batch(self, provides: Mapping[type, object]) -> BatchHandler:
        """The batch handler, ready to be called."""
        assert self.batch_handler is not None
        handler, extra = self.batch_handler, _provided(self.batch_handler, provides, skip=2)

        async def call(batch: Sequence[Envelope], tx: Tx) -> Sequence[tuple[Envelope, str]]:
            return await handler(batch, tx, **extra) or ()

        return call


def bind(handler: Callable[..., Awaitable[Any]], kind: type[Message], provides: Mapping[type, object]) -> Bound:
    """Close over everything the handler asks for by type, so that a call only passes message and transaction."""
    hints = {name: hint for name, hint in typing.get_type_hints(handler).items() if name != "return"}
    messages = [name for name, hint in hints.items() if isinstance(hint, type) and issubclass(kind, hint)]
    envelopes = [name for name, hint in hints.items() if typing.get_origin(hint) is Received or hint is Received]
    transactions = [name for name, hint in hints.items() if hint is Tx]
    rest = hints.keys() - {*messages, *envelopes, *transactions}
    extra = {name: _provide(handler, name, hints[name], provides) for name in rest}

    async def call(received: Received[Any], tx: Tx) -> None:
        await handler(
            **dict.fromkeys(messages, received.message),
            **dict.fromkeys(envelopes, received),
            **dict.fromkeys(transactions, tx),
            **extra,
        )

    return call


def _provided(handler: Callable[..., Any], provides: Mapping[type, object], skip: int) -> dict[str, object]:
    hints = {name: hint for name, hint in typing.get_type_hints(handler).items() if name != "return"}
    return {name: _provide(handler, name, hints[name], provides) for name in list(hints)[skip:]}


def _provide(handler: Callable[..., Any], name: str, hint: Any, provides: Mapping[type, object]) -> object:
    if hint not in provides:
        raise TypeError(f"{handler.__qualname__}: nothing provides the parameter {name}: {hint!r}")
    return provides[hint]
