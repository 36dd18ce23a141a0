"""Web申込状況一覧 and what is looked at from it: one application, its time-line, what it changes (R20, R49)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from applications.api import step_up
from applications.api.views import ApplicationView, SummaryView, present, summary
from applications.rules import bank_accounts, policyholder_change
from applications.rules.lifecycle import LABELS, State, Step
from applications.rules.scopes import scope_of
from applications.settings import Clock
from applications.store import applications, lists, profiles, timelines
from applications.store.rows import Application
from chassis.http import Body, NotFound, Routes, StepUpRequired, View
from chassis.sql import Database, Reader, Tx
from contracts.applications import ApplicationListViewed, Procedure
from contracts.caller import Caller
from contracts.fields import WebApplicationNumber, WebUserId
from contracts.permissions import Permission

routes = Routes(tag="applications")


class Sort(StrEnum):
    """The columns that the list can be sorted by."""

    NUMBER = "number"
    SAVED_AT = "saved_at"
    SUBMITTED_AT = "submitted_at"
    PROCEDURE = "procedure"
    STATE = "state"


class Order(StrEnum):
    """△ and ▽."""

    ASCENDING = "asc"
    DESCENDING = "desc"


Day = Annotated[date, Field(ge=date(2000, 1, 1))]


class Search(Body):
    """What the list is narrowed to, how it is sorted, which page of it."""

    number: Annotated[str | None, Field(pattern="^[0-9-]{1,15}$", description="the beginning of a number")] = None
    procedure: Annotated[list[str] | None, Field(max_length=50, description="keys of procedures")] = None
    state: Annotated[list[State] | None, Field(max_length=5)] = None
    applied_from: Annotated[Day | None, Field(description="first day of submission, by Japan time")] = None
    applied_to: Annotated[Day | None, Field(description="last day of submission, by Japan time")] = None
    user_id: Annotated[WebUserId | None, Field(description="who began or submitted it")] = None
    sort: Sort = Sort.NUMBER
    order: Order = Order.DESCENDING
    page: int = Field(1, ge=1, le=100_000)
    size: int = Field(20, ge=1, le=100)


class ListView(View):
    """One page of the list."""

    total: int = Field(description="applications on all pages")
    page: int
    size: int
    items: list[SummaryView]


class StepView(View):
    """One step of the time-line."""

    step: Step
    state: State
    state_label: str
    version: int
    at: datetime
    user_id: str
    user_name: str


class ItemView(View):
    """One item, as it is and as it is wished for."""

    field: str
    label: str
    now: str | None
    wished: str | None
    changes: bool


@routes.get("/applications", needs=Permission.SEE_APPLICATIONS)
async def list_applications(query: Search, caller: Caller, tx: Tx, clock: Clock) -> ListView:
    """Web申込状況一覧: drafts, and what was applied for within two years; each look is recorded as [1-4] (P4, R259)."""
    narrowed = lists.Filter(
        number=query.number,
        procedures=query.procedure,
        states=query.state,
        applied_from=query.applied_from,
        applied_to=query.applied_to,
        user_id=query.user_id,
    )
    total, found = await lists.search(
        tx, scope_of(caller), clock.now(), narrowed,
        sort=query.sort, descending=query.order is Order.DESCENDING,
        offset=(query.page - 1) * query.size, limit=query.size,
    )  # fmt: skip
    tx.emit(ApplicationListViewed(operator=caller.operator, session_id=caller.session_id))
    return ListView(total=total, page=query.page, size=query.size, items=[summary(one, caller) for one in found])


@routes.get("/applications/{number}", needs=Permission.USE, step_up=False, raises=[StepUpRequired])
async def show_application(
    number: WebApplicationNumber, caller: Caller, database: Database, clock: Clock
) -> ApplicationView:
    """One application with its content: to check, to resume, or as the completion screen shows it (R49, R195)."""
    return await present(database, await seen(database, caller, number, clock), caller)


@routes.get("/applications/{number}/timeline", needs=Permission.USE, step_up=False, raises=[StepUpRequired])
async def show_timeline(
    number: WebApplicationNumber, caller: Caller, database: Database, clock: Clock
) -> list[StepView]:
    """Who took which step when, oldest first."""
    await seen(database, caller, number, clock)
    return [step(row) for row in await timelines.steps(database, number)]


@routes.get("/applications/{number}/changes", needs=Permission.USE)
async def show_changes(
    number: WebApplicationNumber, caller: Caller, database: Database, clock: Clock
) -> list[ItemView]:
    """What is in force against what is wished for, item by item; after 申込み, what was in force then.

    Empty for procedures whose content belongs to their front end.
    """
    found = await seen(database, caller, number, clock)
    if found.kind.wish is None:
        return []
    before = found.before if found.before is not None else await _now(database, found)
    compare = policyholder_change.compare if found.procedure == Procedure.POLICYHOLDER_CHANGE else bank_accounts.compare
    return [ItemView(**vars(item)) for item in compare(found.content, before)]


def step(row: Any) -> StepView:
    """One row of the time-line."""
    return StepView(**row, state_label=LABELS[State(row["state"])])


async def seen(reader: Reader, caller: Caller, number: str, clock: Clock) -> Application:
    """The application, for somebody who wants to look. A foreign one is as unknown as one that never was: NotFound.

    Raises StepUpRequired before the one-time password, but for the procedures that are free of it.
    """
    found = await applications.visible(reader, scope_of(caller), number, clock.now())
    step_up.demand_for(caller, found and found.kind)
    if found is None:
        raise NotFound
    return found


async def _now(reader: Reader, found: Application) -> dict[str, Any]:
    if "account_id" in found.content:
        account_id = UUID(found.content["account_id"])
        return await applications.account_as_applied_for(reader, found.policyholder_code, account_id)
    if found.procedure == Procedure.POLICYHOLDER_CHANGE:
        return await profiles.in_force(reader, found.policyholder_code) or {}
    return {}
