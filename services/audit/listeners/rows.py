"""From an event to the row that it becomes; any event of a person's action, whichever service says it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from audit.labels import OUTCOMES, label
from audit.rules.details import canonical
from audit.rules.lines import leaf, line, timestamp
from audit.rules.rows import Refused, Row
from audit.rules.sizes import LINE_OVERHEAD, TRAIL_OVERHEAD, measure
from audit.rules.windows import BEGINNING, JAPAN, japanese_day
from chassis.messages import Envelope, explain
from contracts.actions import Operator, Outcome
from contracts.nexi import OperationPerformed
from contracts.operations import PRINTED, SESSIONS, Operation

SKEW = timedelta(minutes=5)
"""How far a producer's clock may be ahead of ours."""
MOST_MEMBERS = 200
_NEXI = OperationPerformed.wire_type()


_Short = Annotated[str, Field(max_length=100)]


@dataclass(slots=True, kw_only=True)
class _Said:
    """The part that every action has (contracts.actions.Action); the rest is kept as details. A third faster to
    validate than a model."""

    operator: Operator
    operation: Operation | None = None
    outcome: Outcome = Outcome.DONE
    session_id: _Short | None = None
    source_address: _Short | None = None


@dataclass(slots=True, kw_only=True)
class _Performed(_Said):
    operation: Operation
    performed_at: AwareDatetime


_KNOWN = frozenset(field.name for field in fields(_Said))
NO_DETAILS = canonical({})
_validate = TypeAdapter(_Said).validator.validate_python
_validate_performed = TypeAdapter(_Performed).validator.validate_python
_earliest = datetime.combine(BEGINNING, datetime.min.time(), JAPAN)


def row_of(envelope: Envelope, now: datetime) -> Row | None:
    """The row; None for an event that is no action of a person. Raises Refused."""
    data = envelope.data
    if not isinstance(data, dict):
        raise Refused("data: not an object")
    if "operator" not in data:
        if envelope.type == _NEXI:
            raise Refused("operator: missing")
        return None
    if len(data) > MOST_MEMBERS:
        raise Refused(f"data: more than {MOST_MEMBERS} members")
    said, performed_at = _understand(envelope, data)
    if envelope.type == _NEXI and said.operation in SESSIONS:
        raise Refused("operation: only identity says this (H1)")
    _check_moment(performed_at, now)
    if not said.operator.user_id:
        raise Refused("operator.user_id: empty")
    return _build(envelope, said, performed_at, data)


def _understand(envelope: Envelope, data: Mapping[str, Any]) -> tuple[_Said, datetime]:
    try:
        if envelope.type == _NEXI:
            performed = _validate_performed(data)
            return performed, performed.performed_at
        return _validate(data), envelope.time
    except ValueError as error:
        raise Refused(explain(error)) from None


def _check_moment(performed_at: datetime, now: datetime) -> None:
    if performed_at > now and performed_at > now + SKEW:
        raise Refused("time: in the future")
    if performed_at < _earliest:
        raise Refused("time: before 2016-03-22")


def _build(envelope: Envelope, said: _Said, performed_at: datetime, data: dict[str, Any]) -> Row:
    who = said.operator
    details = NO_DETAILS if data.keys() <= _KNOWN else canonical({key: data[key] for key in data.keys() - _KNOWN})
    event_id = str(envelope.id)
    values = (
        event_id, timestamp(performed_at), envelope.type, who.policyholder_code, who.user_id, who.name,
        who.department, who.title, said.operation, said.outcome, said.session_id, said.source_address, details,
    )  # fmt: skip
    try:
        text = line(values)
        bytes_, letters = _size(envelope.type, said, details)
    except UnicodeEncodeError:
        raise Refused("data: not Unicode") from None
    if b"\0" in text:
        raise Refused("data: contains NUL")
    return Row(
        event_id, who.policyholder_code, who.user_id, japanese_day(performed_at), said.operation is not None,
        bytes_, letters, text, leaf(text),
    )  # fmt: skip


def _size(kind: str, said: _Said, details: str) -> tuple[int, int]:
    who = said.operator
    if said.operation is not None:
        return measure(LINE_OVERHEAD, PRINTED[said.operation], who.user_id, who.name, who.department, who.title)
    return measure(
        TRAIL_OVERHEAD, label(kind), OUTCOMES[said.outcome], who.user_id, who.name, who.department, who.title,
        said.source_address or "", details,
    )  # fmt: skip
