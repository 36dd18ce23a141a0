"""NEXI's systems without AMQP: they fetch what was submitted and report what became of it (P6)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field, ValidationError

from applications import outcomes
from applications.api.files import PDF, send
from applications.api.views import DocumentView
from applications.rules.procedures import PROCEDURES, Carrier
from applications.settings import Clock
from applications.store import applications, documents, lists
from chassis.amqp import Park, parked
from chassis.http import Body, Invalid, NotFound, Routes, View, field_errors
from chassis.messages import Envelope, Moment
from chassis.sql import Database, Tx
from contracts.fields import WebApplicationNumber
from contracts.nexi import ProcedureCompleted, ProcedureRejected
from contracts.permissions import Permission

routes = Routes(tag="nexi")

QUEUE = "applications.nexi"
"""The same ears hear AMQP: an event that comes both ways is heard once, and parked ones are retried alike."""
BODY_LIMIT = 9 * 1024 * 1024
BODY_SECONDS = 120.0
PAGE_BYTES = 2 * 1024 * 1024
"""Of contents in a page, but for the last one: 500 of the largest together would be 125 MiB, and more when parsed."""
KINDS = {kind.wire_type(): kind for kind in (ProcedureCompleted, ProcedureRejected)}


class ReportedEvent(Body):
    """A CloudEvent of NEXI's systems; sending it again under the same id changes nothing."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str = Field("/nexi", max_length=200)
    type: Literal["nexi.procedure_completed", "nexi.procedure_rejected"]
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any] = Field(description="as declared for the event in AsyncAPI")


class HeardView(View):
    """What became of the report. What is parked is not lost: it waits for its application, or for an operator."""

    outcome: Literal["applied", "repeated", "parked"]
    reason: str | None = None


class Sweep(Body):
    """A page of what is waiting; begin without `after`, go on with the last number until a page is empty.

    With large contents a page is shorter than `limit`, though more is waiting.
    """

    after: Annotated[str, Field(pattern="^[0-9-]{0,15}$")] = ""
    limit: int = Field(100, ge=1, le=500)


class HandedInView(View):
    """A submitted application that NEXI has not answered yet."""

    number: str
    procedure: str
    procedure_label: str
    policyholder_code: str
    applicant_user_id: str
    submitted_at: AwareDatetime
    content: dict[str, Any]
    attachments: list[DocumentView]


@routes.post("/nexi/events", needs=Permission.REPORT, body_limit=BODY_LIMIT, body_seconds=BODY_SECONDS)
async def report(body: ReportedEvent, tx: Tx, clock: Clock) -> HeardView:
    """Report a completion or rejection over HTTP instead of AMQP; exactly once by the event's id."""
    try:
        message = KINDS[body.type].model_validate(body.data)
    except ValidationError as error:
        raise Invalid(field_errors("body.data", error)) from None
    if not await parked.first_time(tx, QUEUE, body.id):
        return HeardView(outcome="repeated")
    try:
        if isinstance(message, ProcedureCompleted):
            await outcomes.complete_by_nexi(tx, message, clock.now())
        else:
            await outcomes.reject_by_nexi(tx, message, clock.now())
    except Park as refusal:
        envelope = Envelope(body.id, body.type, body.source, body.time, body.data)
        await parked.park(tx, QUEUE, envelope, refusal.reason, retry=refusal.retry, key=refusal.key)
        return HeardView(outcome="parked", reason=refusal.reason)
    return HeardView(outcome="applied")


@routes.get("/nexi/applications", needs=Permission.REPORT)
async def list_waiting(query: Sweep, database: Database) -> list[HandedInView]:
    """What was submitted and waits for NEXI, page by page in a fixed order: the end is an empty page, not a short one,
    for a page with large contents ends before `limit`."""
    procedures = [key for key, kind in PROCEDURES.items() if kind.carrier is Carrier.NEXI]
    return [
        HandedInView(
            number=one.number,
            procedure=one.procedure,
            procedure_label=one.kind.label,
            policyholder_code=one.policyholder_code,
            applicant_user_id=one.submitted_by or one.created_by,
            submitted_at=one.submitted_at or one.created_at,
            content=one.content,
            attachments=[
                DocumentView(id=row["id"], title=row["title"], size=row["size"], sha256=row["sha256"].hex())
                for row in (await documents.attached(database, one.number) if one.kind.attachments else [])
            ],
        )
        for one in await lists.handed_in(database, procedures, query.after, query.limit, PAGE_BYTES)
    ]


@routes.get("/nexi/applications/{number}/attachments/{document_id}", needs=Permission.REPORT, gives=PDF)
async def fetch_attachment(
    number: WebApplicationNumber, document_id: UUID, request: web.Request, database: Database
) -> web.StreamResponse:
    """An attachment of a submitted application."""
    if await applications.submitted(database, number) is None:
        raise NotFound
    for row in await documents.attached(database, number):
        if row["id"] == document_id:
            return await send(request, database, row, row["title"])
    raise NotFound
