"""NEXI's operators: what waits too long for its outcome, and which words could not be acted upon (P6)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import Field

from applications.api.lists import StepView, step
from applications.rules.lifecycle import LABELS, State
from applications.rules.procedures import Carrier
from applications.settings import Clock, Settings
from applications.store import applications, lists, timelines
from chassis.amqp import parked
from chassis.http import Body, NotFound, Routes, View
from chassis.sql import Database
from contracts.fields import WebApplicationNumber
from contracts.permissions import Permission

routes = Routes(tag="operations")


class Stuck(Body):
    """For how long it has been waiting."""

    days: int | None = Field(None, ge=0, le=3650, description="days since 申込み; the service's setting when left out")
    limit: int = Field(100, ge=1, le=1000)


class StuckView(View):
    """A submitted application without an outcome; operators do not see its content."""

    number: str
    procedure: str
    procedure_label: str
    carrier: Carrier = Field(description="who carries it out")
    policyholder_code: str
    submitted_at: datetime | None
    days: int = Field(description="since 申込み, or since the first confirmation")


class Listing(Body):
    """A page; begin without `after`, go on with the last number."""

    after: int = Field(0, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=1000)


class EnquiryView(StuckView):
    """What an operator tells somebody who quotes a number; what was applied for stays between user and NEXI."""

    state: State
    state_label: str
    finished_at: datetime | None
    effective_date: date | None
    reason: str | None
    steps: list[StepView]


class ParkedView(View):
    """A word of NEXI or accounts that could not be acted upon."""

    number: int = Field(description="for the commands `parked show | replay | discard`")
    listener: str
    id: UUID | None
    type: str | None
    state: str
    reason: str
    about: str | None = Field(description="the Web application number that it waits for")
    attempts: int
    first_at: datetime
    next_try_at: datetime | None


@routes.get("/operations/stuck-applications", needs=Permission.OPERATE)
async def list_stuck(query: Stuck, database: Database, settings: Settings, clock: Clock) -> list[StuckView]:
    """Submitted applications that nobody completed or rejected for many days, oldest first."""
    now = clock.now()
    days = settings.stuck_days if query.days is None else query.days
    return [
        StuckView(
            number=one.number,
            procedure=one.procedure,
            procedure_label=one.kind.label,
            carrier=one.kind.carrier,
            policyholder_code=one.policyholder_code,
            submitted_at=one.submitted_at,
            days=(now - (one.submitted_at or one.created_at)).days,
        )
        for one in await lists.waiting(database, now - timedelta(days=days), query.limit)
    ]


@routes.get("/operations/applications/{number}", needs=Permission.OPERATE)
async def answer_enquiry(number: WebApplicationNumber, database: Database, clock: Clock) -> EnquiryView | NotFound:
    """Where the application stands whose number is quoted in an enquiry, with its time-line (R51, R194)."""
    found = await applications.numbered(database, number)
    if found is None:
        return NotFound()
    return EnquiryView(
        number=number,
        procedure=found.procedure,
        procedure_label=found.kind.label,
        carrier=found.kind.carrier,
        policyholder_code=found.policyholder_code,
        submitted_at=found.submitted_at,
        days=(clock.now() - (found.submitted_at or found.created_at)).days,
        state=found.state,
        state_label=LABELS[found.state],
        finished_at=found.finished_at,
        effective_date=found.effective_date,
        reason=found.reason,
        steps=[step(row) for row in await timelines.steps(database, number)],
    )


@routes.get("/operations/parked-events", needs=Permission.OPERATE)
async def list_parked(query: Listing, database: Database) -> list[ParkedView]:
    """Early, duplicate, unknown and contradictory words, and unreadable ones, with their reason; oldest first."""
    return [
        ParkedView(**{name: row[name] for name in ParkedView.model_fields.keys() - {"about"}}, about=row["key"])
        for row in await parked.listing(database, query.after, query.limit)
    ]
