"""What services say to each other: the two kinds of message and their envelope on the wire (CloudEvents 1.0)."""

import functools
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

import pydantic_core
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


@functools.cache
def _wire_type(module: str, name: str) -> str:
    room = module.rpartition(".")[2]
    return f"{room}.{re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()}"


class Message(BaseModel):
    """A record that two services agree on; readers ignore what they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    exchange: ClassVar[str]

    @classmethod
    def wire_type(cls) -> str:
        """The name on the wire: module and class, `identity.login_succeeded`."""
        return _wire_type(cls.__module__, cls.__name__)


class Event(Message):
    """Something has happened; anyone may hear it."""

    exchange: ClassVar[str] = "events"


class Command(Message):
    """Please do something; only the service in whose room it is declared hears it."""

    exchange: ClassVar[str] = "commands"


MessageT = TypeVar("MessageT", bound=Message)


Number = Annotated[int, Field(ge=1, lt=2**62)]
"""A producer's events are numbered densely from 1."""


Moment = Annotated[AwareDatetime, Field(ge=datetime(1, 1, 2, tzinfo=UTC), le=datetime(9999, 12, 31, tzinfo=UTC))]
"""A time from outside, which can be told in every time zone; on the first and the last day of all it cannot."""


Kind = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")]
"""The name of a message on the wire, see `Message.wire_type`."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One CloudEvent, its data still undecoded (`data` is what the JSON said, as Python objects)."""

    id: UUID
    type: Kind
    source: str
    time: Moment
    data: Any = None
    sequence: Number | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Received(Generic[MessageT]):
    """A message together with what its envelope said."""

    message: MessageT
    envelope: Envelope = field(repr=False)

    @property
    def id(self) -> UUID:
        """The id that stays the same however often the message is delivered."""
        return self.envelope.id

    @property
    def time(self) -> datetime:
        """When it happened, by the clock of the service that said it (UTC)."""
        return self.envelope.time


class OutboxPosition(BaseModel):
    """Said every few seconds by each service's relay, as `<service>.outbox_position`, without a number of its own.

    All events up to `last` were confirmed by the broker; so whoever counts them misses even a service's very last one.
    """

    last: Number

    NAME: ClassVar[str] = "outbox_position"


class Unreadable(ValueError):
    """The bytes are not the CloudEvents that they should be; the text says why and never quotes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read(Envelope):
    """As it came in, validated; unknown members are ignored."""

    specversion: Literal["1.0"]


_read_one = TypeAdapter(_Read).validator.validate_python
_read_many = TypeAdapter(list[_Read]).validator.validate_json


def encode_one(envelope: Envelope) -> bytes:
    """One envelope with its data, as it would stand on the wire."""
    return _encode_one(envelope, pydantic_core.to_json(envelope.data).decode()).encode()


def encode(envelopes: Iterable[tuple[Envelope, str]]) -> bytes:
    """A CloudEvents batch from envelopes and the JSON text of each one's data, which is not parsed again."""
    return ("[" + ",".join(_encode_one(envelope, data) for envelope, data in envelopes) + "]").encode()


def _encode_one(envelope: Envelope, data: str) -> str:
    head: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "time": envelope.time.astimezone(UTC).isoformat(timespec="microseconds"),
        "datacontenttype": "application/json",
    }
    if envelope.sequence is not None:
        head["sequence"] = str(envelope.sequence)
    if envelope.traceparent is not None:
        head["traceparent"] = envelope.traceparent
    return pydantic_core.to_json(head).decode()[:-1] + f',"data":{data}}}'


def decode(body: bytes, most: int = 2000) -> Sequence["Envelope | Unreadable"]:
    """The envelopes in a message body; a broken one among good ones comes back as its reason.

    Raises Unreadable when the body as a whole is not JSON or holds more than `most` events.
    """
    found: Sequence[Envelope | Unreadable]
    try:
        found = _read_many(body)
    except ValueError:
        found = _read_each(body)
    if len(found) > most:
        raise Unreadable(f"more than {most} events in one message")
    return found


def _read_each(body: bytes) -> list["Envelope | Unreadable"]:
    """Slower: something in this body is broken, or it holds one event that is not in a list."""
    try:
        parsed = pydantic_core.from_json(body)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    found: list[Envelope | Unreadable] = []
    for item in parsed if isinstance(parsed, list) else [parsed]:
        try:
            found.append(_read_one(item))
        except ValueError as error:
            found.append(Unreadable(explain(error)))
    return found


def explain(error: ValueError) -> str:
    """Which field broke which rule, without the offending value (pydantic's own text would quote it)."""
    if not isinstance(error, pydantic_core.ValidationError):
        return type(error).__name__
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'message'}: {one['msg']}" for one in found[:8])


def catalogue(classes: Sequence[type[Message]]) -> Mapping[str, type[Message]]:
    """Wire name → class."""
    return {one.wire_type(): one for one in classes}


def subclasses(of: type[Message]) -> Iterator[type[Message]]:
    """All concrete classes below `of` that were imported, in a stable order."""
    for child in sorted(of.__subclasses__(), key=lambda one: one.wire_type()):
        yield child
        yield from subclasses(child)


def new_id() -> UUID:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds, then chance, so that keys arrive nearly in order."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds << 80) | chance
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))
