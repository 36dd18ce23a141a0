"""The catalogue of operations, and what a front end reports from it with its user's own token (R254, H1)."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from audit.store import searches
from chassis.http import Answer, Body, Header, Invalid, Problem, Routes, View, source_of
from chassis.sql import Tx
from contracts.audit import OperationReported
from contracts.caller import Caller
from contracts.operations import GROUPS, LABELS, PRINTED, REPORTED, Operation
from contracts.permissions import Permission

routes = Routes(tag="operations")


class Catalogued(View):
    """An operation: its code, its label in the catalogue, and code and label as the history's file prints them."""

    operation: Operation
    label: str
    printed: str
    reported: bool = Field(description="by front ends; false: the platform's services record it themselves (H1)")


class Group(View):
    """The operations whose codes begin with the same digit."""

    number: int
    label: str
    operations: list[Catalogued]


class Report(Body):
    """An operation, just carried out, of those that are `reported`. Who and when is not the reporter's to say."""

    operation: Annotated[Operation, Field(strict=False)]


class Reported(View):
    """The report is accepted; the row appears within moments under `event_id`."""

    event_id: UUID
    operation: Operation


class KeyReused(Problem):
    """The idempotency key was used for another operation."""

    status = 422
    detail = "このIdempotency-Keyは、別の操作の報告に使用されています。"


@routes.get("/operations", needs=Permission.USE)
async def list_operations(caller: Caller) -> list[Group]:
    """提供されるアクセス履歴の種類: what can be reported and downloaded (R255 to R306)."""
    return [
        Group(
            number=number,
            label=label,
            operations=[
                Catalogued(operation=one, label=LABELS[one], printed=PRINTED[one], reported=one in REPORTED)
                for one in Operation
                if one.value.startswith(f"{number}-")
            ],
        )
        for number, label in GROUPS.items()
    ]


@routes.post("/operations", needs=Permission.USE, status=202, raises=[KeyReused])
async def report_operation(
    body: Report,
    caller: Caller,
    request: web.Request,
    tx: Tx,
    key: Annotated[str, Field(min_length=8, max_length=100, pattern=r"^[!-~]+$"), Header("Idempotency-Key")],
) -> Answer[Reported]:
    """Record an operation of the caller. Repeating the request with its Idempotency-Key changes nothing."""
    if body.operation not in REPORTED:
        raise Invalid.field("body.operation", "own", "この操作は、システムが自ら記録するため、報告できません。")
    who = caller.operator
    event = OperationReported(
        operator=who, operation=body.operation, session_id=caller.session_id, source_address=source_of(request)
    )
    event_id = tx.emit(event)
    known = await searches.report(tx, who.policyholder_code, who.user_id, key, body.operation.value, event_id)
    if known is None:
        return Answer(Reported(event_id=event_id, operation=body.operation))
    tx.emitted.clear()
    if known["operation"] != body.operation.value:
        raise KeyReused
    return Answer(Reported(event_id=known["event_id"], operation=body.operation))
