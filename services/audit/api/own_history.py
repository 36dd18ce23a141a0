"""What I did: every signed-in person sees the own recent operations, also logins that failed."""

from typing import Any

from pydantic import AwareDatetime, Field

from audit.labels import label
from audit.rules import cursors
from audit.store import searches
from chassis.http import Body, Routes, View
from chassis.sql import Database
from contracts.actions import Outcome
from contracts.caller import Caller
from contracts.operations import PRINTED, Operation
from contracts.permissions import Permission

routes = Routes(tag="own history")


class Page(Body):
    """Newest first; the next page is asked with the `next` of this one."""

    after: str | None = Field(None, pattern=cursors.PATTERN, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)


class Done(View):
    """One thing I did or tried."""

    performed_at: AwareDatetime
    operation: Operation | None = Field(description="code of the catalogue; null for everything else")
    label: str = Field(description="操作内容")
    outcome: Outcome
    source_address: str | None
    this_session: bool


class OwnPage(View):
    """Rows and where the next page begins; null when this is the last."""

    rows: list[Done]
    next: str | None


@routes.get("/own-history", needs=Permission.USE)
async def show_own_history(query: Page, caller: Caller, database: Database) -> OwnPage:
    """The caller's own newest rows, of the history and of the trail."""
    who = caller.operator
    before = cursors.read(query.after) if query.after else None
    found = await searches.latest(database, who.policyholder_code, who.user_id, before, query.limit + 1)
    rows = found[: query.limit]
    return OwnPage(
        rows=[_shown(row, caller) for row in rows],
        next=cursors.write(rows[-1]["performed_at"], rows[-1]["number"]) if len(found) > query.limit else None,
    )


def _shown(row: Any, caller: Caller) -> Done:
    operation = None if row["operation"] is None else Operation(row["operation"])
    return Done(
        performed_at=row["performed_at"],
        operation=operation,
        label=label(row["type"]) if operation is None else PRINTED[operation],
        outcome=Outcome(row["outcome"]),
        source_address=row["source_address"],
        this_session=row["session_id"] == caller.session_id,
    )
