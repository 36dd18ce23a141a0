"""What can be applied for (R1 to R8)."""

from pydantic import Field

from applications.rules.procedures import PROCEDURES, Carrier
from applications.rules.scopes import may_handle
from chassis.http import Routes, View
from contracts.caller import Caller
from contracts.operations import Operation
from contracts.permissions import Permission

routes = Routes(tag="procedures")


class ProcedureView(View):
    """A procedure that can be applied for."""

    key: str
    label: str = Field(description="申込種類")
    entry: Operation | None = Field(description="recorded when a draft is saved")
    application: Operation | None = Field(description="recorded at 申込み")
    carrier: Carrier
    attachments: bool = Field(description="PDF files can be attached")
    acknowledgement: str | None
    may_enter: bool
    may_apply: bool


@routes.get("/procedures", needs=Permission.USE, step_up=False)
async def list_procedures(caller: Caller) -> list[ProcedureView]:
    """All procedures, in the order of the user page (R1 to R8)."""
    return [
        ProcedureView(
            key=kind.key,
            label=kind.label,
            entry=kind.entry,
            application=kind.application,
            carrier=kind.carrier,
            attachments=kind.attachments,
            acknowledgement=kind.acknowledgement,
            may_enter=Permission.ENTER in caller.may and may_handle(caller, kind),
            may_apply=Permission.APPLY in caller.may and may_handle(caller, kind),
        )
        for kind in PROCEDURES.values()
    ]
