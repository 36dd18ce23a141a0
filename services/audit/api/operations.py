"""Operations that a front end reports for its user, with that user's own token (H1)."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from audit.store import searches
from chassis.http import Answer, Body, Header, Problem, Routes, View
from chassis.sql import Tx
from contracts.audit import OperationReported
from contracts.caller import Caller
from contracts.operations import Operation
from contracts.permissions import Permission

routes = Routes(tag="operations")


class Report(Body):
    """One operation of the catalogue, just carried out. Who did it and when is not for the reporter to say."""

    operation: Annotated[Operation, Field(strict=False)]


class Reported(View):
    """The report is accepted; the row appears within moments under `event_id`."""

    event_id: UUID
    operation: Operation


class KeyReused(Problem):
    """The idempotency key was used for another operation."""

    status = 422
    detail = "このIdempotency-Keyは、別の操作の報告に使用されています。"


@routes.post("/operations", needs=Permission.USE, status=202, raises=[KeyReused])
async def report_operation(
    body: Report,
    caller: Caller,
    request: web.Request,
    tx: Tx,
    key: Annotated[str, Field(min_length=8, max_length=100, pattern=r"^[!-~]+$"), Header("Idempotency-Key")],
) -> Answer[Reported]:
    """Record an operation of the caller. Repeating the request with its Idempotency-Key changes nothing."""
    who = caller.operator
    event = OperationReported(
        operator=who, operation=body.operation, session_id=caller.session_id, source_address=request.remote
    )
    event_id = tx.emit(event)
    known = await searches.report(tx, who.policyholder_code, who.user_id, key, body.operation.value, event_id)
    if known is None:
        return Answer(Reported(event_id=event_id, operation=body.operation))
    tx.emitted.clear()
    if known["operation"] != body.operation.value:
        raise KeyReused
    return Answer(Reported(event_id=known["event_id"], operation=body.operation))
