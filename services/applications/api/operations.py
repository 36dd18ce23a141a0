"""NEXI's operators: what waits too long for its outcome, and which words could not be acted upon (P6)."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field

from applications.rules.procedures import Carrier
from applications.settings import Clock, Settings
from applications.store import lists
from chassis.amqp import parked
from chassis.http import Body, Routes, View
from chassis.sql import Database
from contracts.permissions import Permission

routes = Routes(tag="operations")


class Stuck(Body):
    """For how long it has been waiting."""

    days: int | None = Field(None, ge=0, le=3650, description="days since 申込み; the service's setting when left out")
    limit: int = Field(100, ge=1, le=1000)


class StuckView(View):
    """A submitted application without an outcome. Operators do not see what was applied for."""

    number: str
    procedure: str
    procedure_label: str
    carrier: Carrier = Field(description="whose outcome is missing")
    policyholder_code: str
    submitted_at: datetime
    days: int


class Few(Body):
    """How many to list."""

    limit: int = Field(100, ge=1, le=1000)


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
            days=(now - one.submitted_at).days,
        )
        for one in await lists.waiting(database, now - timedelta(days=days), query.limit)
        if one.submitted_at is not None
    ]


@routes.get("/operations/parked-events", needs=Permission.OPERATE)
async def list_parked(query: Few, database: Database) -> list[ParkedView]:
    """Early, duplicate, unknown and contradictory words, and unreadable ones, with their reason; oldest first."""
    return [
        ParkedView(**{name: row[name] for name in ParkedView.model_fields.keys() - {"about"}}, about=row["key"])
        for row in await parked.listing(database, query.limit)
    ]
