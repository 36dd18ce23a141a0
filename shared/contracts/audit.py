"""What audit says about itself: searches and exports of the history are recorded like everything else."""

from uuid import UUID

from pydantic import AwareDatetime

from chassis.messages import Event
from contracts import actions
from contracts.actions import Action
from contracts.operations import Operation


class HistorySearched(Action):
    """An administrator asked how much an export would bring."""

    window_from: AwareDatetime
    window_to: AwareDatetime
    target_user_id: str | None
    records: int


class HistoryExported(Action):
    """An administrator downloaded the access history or the security trail."""

    view: str
    form: str
    window_from: AwareDatetime
    window_to: AwareDatetime
    target_user_id: str | None
    records: int


class OperationReported(Action):
    """A front end reported an operation of the catalogue with its user's own token (H1)."""

    operation: Operation


class GapFound(Event):
    """Events of a producer are missing in its dense numbering; reported within a minute (R-5)."""

    producer: str
    first: int
    last: int


class OperatorActed(actions.OperatorActed):
    """An operator explained a gap, archived a month, handled parked events; `about` says which one, and why."""


class AccessRefused(actions.AccessRefused):
    """Refused at audit's gateway."""


class RecordContradicted(Event):
    """An event came again under an id that was recorded before, with another content: somebody should look."""

    event_id: UUID
