"""An application as it stands in its row."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from applications.rules.lifecycle import State
from applications.rules.outcomes import Standing
from applications.rules.procedures import PROCEDURES, Kind


class Application(NamedTuple):
    """One row of `applications`; the migration says what each column means."""

    number: str
    policyholder_code: str
    procedure: str
    state: State
    version: int
    content: dict[str, Any]
    created_at: datetime
    created_by: str
    session_id: str
    saved_at: datetime
    submitted_at: datetime | None
    submitted_by: str | None
    before: dict[str, Any] | None
    finished_at: datetime | None
    effective_date: date | None
    reason: str | None
    notice_id: UUID | None
    account_id: UUID | None

    @property
    def kind(self) -> Kind:
        """The procedure's entry."""
        return PROCEDURES[self.procedure]

    @property
    def standing(self) -> Standing:
        """What a word about it is judged by."""
        return Standing(
            self.state, self.kind.carrier, self.policyholder_code, self.created_at, self.submitted_at,
            self.finished_at, self.effective_date, self.reason,
        )  # fmt: skip


_STATE = Application._fields.index("state")
COLUMNS = ", ".join(Application._fields)
WITHOUT_CONTENTS = ", ".join(
    {"content": "'{}'::json as content", "before": "null::json as before"}.get(name, name)
    for name in Application._fields
)
"""The same columns, the content left empty: lists show none, and a page of the largest would be read as 25 MiB."""


def application(row: Any) -> Application | None:
    """From a row of exactly COLUMNS; None from None."""
    if row is None:
        return None
    values = list(row)
    values[_STATE] = State(values[_STATE])
    return Application._make(values)
