"""通知書: the PDF that came with NEXI's completion, downloaded from the list (P6, R260)."""

from aiohttp import web

from applications.api.files import PDF, send
from applications.api.lists import seen
from applications.settings import Clock
from applications.store import documents
from chassis.http import NotFound, Routes
from chassis.sql import Database
from contracts.applications import NoticeDownloaded
from contracts.caller import Caller
from contracts.fields import WebApplicationNumber
from contracts.permissions import Permission

routes = Routes(tag="notices")


@routes.get("/applications/{number}/notice", needs=Permission.SEE_APPLICATIONS, gives=PDF)
async def download_notice(
    number: WebApplicationNumber, request: web.Request, caller: Caller, database: Database, clock: Clock
) -> web.StreamResponse:
    """The notice of a completed application; recorded as [1-5] before the first byte leaves."""
    async with database.transaction() as tx:
        found = await seen(tx, caller, number, clock)
        about = await documents.about(tx, found.notice_id) if found.notice_id else None
        if about is None:
            raise NotFound
        tx.emit(NoticeDownloaded(operator=caller.operator, session_id=caller.session_id, number=number))
    return await send(request, database, about, f"{number}.pdf")
