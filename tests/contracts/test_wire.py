"""What is sent can be read back; readers ignore what they do not know; the wire names and schemas stay as they are."""

import importlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.messages import Envelope, Event, Message, Unreadable, decode, encode, new_id, subclasses
from contracts.identity import LoginSucceeded, PasswordChanged
from tests.support import callers, unique

ROOT = Path(__file__).parents[2]
ROOMS = {f"contracts.{room}" for room in ("identity", "accounts", "applications", "notifier", "audit", "nexi")}
for _room in ROOMS:
    importlib.import_module(_room)
MESSAGES = [one for one in subclasses(Message) if one.__module__ in ROOMS and "._" not in one.wire_type()]

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def sent(message: Message) -> Envelope:
    """Through the wire and back."""
    envelope = Envelope(new_id(), message.wire_type(), "/identity", unique.now(), None, 7)
    (back,) = decode(encode([(envelope, message.model_dump_json())]))
    assert isinstance(back, Envelope)
    assert (back.id, back.type, back.time, back.sequence) == (envelope.id, envelope.type, envelope.time, 7)
    return back


def test_a_message_survives_the_wire_and_a_reader_ignores_new_fields() -> None:
    message = PasswordChanged(operator=callers.administrator("123456789").operator, forced=True)
    data = sent(message).data | {"added_later": 1}
    assert PasswordChanged.model_validate(data) == message


def test_the_wire_name_is_room_and_class() -> None:
    assert LoginSucceeded.wire_type() == "identity.login_succeeded"


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.wire_type())
def test_every_message_says_in_a_sentence_what_it_is(kind: type[Message]) -> None:
    assert (kind.__doc__ or "").strip()
    assert kind.exchange in {"events", "commands", "nexi"}
    assert (kind.exchange == "commands") != issubclass(kind, Event)


def test_the_schemas_are_those_that_were_reviewed() -> None:
    """A change shows in docs/schemas.json (`make docs`), where a review sees it."""
    known = json.loads((ROOT / "docs" / "schemas.json").read_text(encoding="utf-8"))
    assert {kind.wire_type(): kind.model_json_schema(mode="serialization") for kind in MESSAGES} == known


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    try:
        found = decode(body)
    except Unreadable:
        return
    assert all(isinstance(one, Envelope | Unreadable) for one in found)


@given(JSON)
def test_no_json_breaks_the_reader(value: object) -> None:
    try:
        found = decode(json.dumps(value).encode())
    except Unreadable:
        return
    assert all(isinstance(one, Envelope | Unreadable) for one in found)
