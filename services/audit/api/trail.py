"""The security trail on the screen: the newest rows of the administrator's own policyholder (H2)."""

from datetime import UTC, date, datetime
from typing import Any

from pydantic import AwareDatetime, Field

from audit.labels import OUTCOMES, label
from audit.rules import cursors, windows
from audit.store import trail
from chassis.http import Body, Invalid, Routes, View
from chassis.sql import Database
from contracts.actions import Outcome
from contracts.caller import Caller
from contracts.permissions import Permission

routes = Routes(tag="security trail")


class Page(Body):
    """Newest first; the next page is asked with the `next` of this one."""

    first_day: date = Field(date(2016, 3, 22), description="対象期間（開始日）")
    last_day: date = Field(date(2999, 1, 1), description="対象期間（終了日）")
    user_id: str | None = Field(None, min_length=1, max_length=64)
    after: str | None = Field(None, pattern=cursors.PATTERN, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)


class TrailRow(View):
    """Something that happened outside of the catalogue of operations."""

    number: int
    performed_at: AwareDatetime
    type: str
    label: str
    outcome: Outcome
    outcome_label: str
    user_id: str
    name: str
    department: str
    title: str
    source_address: str | None
    details: dict[str, Any]


class TrailPage(View):
    """Rows and where the next page begins; null when this is the last."""

    rows: list[TrailRow]
    next: str | None


@routes.get("/security-trail", needs=Permission.ADMINISTER)
async def show_trail(query: Page, caller: Caller, database: Database) -> TrailPage:
    """Log-outs, failed log-ins, locks, user administration, applications, exports, refused access."""
    if query.first_day > query.last_day:
        raise Invalid.field("query.last_day", "reversed", "終了日は開始日以降の日付を指定してください。")
    window = windows.served(query.first_day, query.last_day, datetime.now(UTC))
    if window is None:
        return TrailPage(rows=[], next=None)
    before = cursors.read(query.after) if query.after else (window.ends_before, 0)
    found = await trail.page(
        database, caller.operator.policyholder_code, query.user_id, window, before, query.limit + 1
    )
    rows = [_shown(row) for row in found[: query.limit]]
    return TrailPage(
        rows=rows, next=cursors.write(rows[-1].performed_at, rows[-1].number) if len(found) > query.limit else None
    )


def _shown(row: Any) -> TrailRow:
    outcome = Outcome(row["outcome"])
    return TrailRow(**row, label=label(row["type"]), outcome_label=OUTCOMES[outcome])
