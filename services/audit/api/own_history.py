"""What I did: every signed-in person sees the own recent operations, also logins that failed."""

from datetime import UTC, datetime

from pydantic import AwareDatetime, Field

from audit.labels import label
from audit.store import searches
from chassis.http import Body, Routes, View
from chassis.messages import Moment
from chassis.sql import Database
from contracts.actions import Outcome
from contracts.caller import Caller
from contracts.operations import PRINTED, Operation
from contracts.permissions import Permission

routes = Routes(tag="own history")


class Page(Body):
    """Newest first; the next page begins before the last row of this one."""

    before: Moment | None = None
    limit: int = Field(50, ge=1, le=200)


class Done(View):
    """One thing I did or tried."""

    performed_at: AwareDatetime
    operation: Operation | None = Field(description="code of the catalogue; null for everything else")
    label: str = Field(description="操作内容")
    outcome: Outcome
    source_address: str | None
    this_session: bool


@routes.get("/own-history", needs=Permission.USE)
async def show_own_history(query: Page, caller: Caller, database: Database) -> list[Done]:
    """The caller's own newest rows, of the history and of the trail."""
    who = caller.operator
    before = query.before or datetime.max.replace(tzinfo=UTC)
    rows = await searches.latest(database, who.policyholder_code, who.user_id, before, query.limit)
    return [
        Done(
            performed_at=row["performed_at"],
            operation=None if row["operation"] is None else Operation(row["operation"]),
            label=label(row["type"]) if row["operation"] is None else PRINTED[Operation(row["operation"])],
            outcome=Outcome(row["outcome"]),
            source_address=row["source_address"],
            this_session=row["session_id"] == caller.session_id,
        )
        for row in rows
    ]
