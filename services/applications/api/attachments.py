"""PDF files of an application of 電子申請: uploaded to a draft, removed from it, downloaded (R7)."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from applications.api.drafts import handled, say_saved, who
from applications.api.files import PDF, NotPdf, sane_name, send, take
from applications.api.lists import seen
from applications.api.refusals import WrongState, not_moved
from applications.api.views import ApplicationView
from applications.rules.documents import MOST_ATTACHMENTS
from applications.rules.lifecycle import State, Step
from applications.settings import Clock, Settings
from applications.store import applications, documents, transitions
from applications.store.rows import Application
from chassis.http import Body, BodyTooLarge, BodyTooSlow, Invalid, NotFound, Problem, Routes, UnsupportedMediaType
from chassis.sql import Database, Tx
from contracts.caller import Caller
from contracts.fields import WebApplicationNumber
from contracts.permissions import Permission

routes = Routes(tag="attachments")


class NoAttachments(Problem):
    """The procedure takes no attachments."""

    status = 409
    detail = "この手続きには、ファイルを添付できません。"


class TooManyAttachments(Problem):
    """The application has as many attachments as it may."""

    status = 409
    detail = f"添付できるファイルは{MOST_ATTACHMENTS}件までです。"


class Named(Body):
    """What the file is called."""

    name: Annotated[str, Field(min_length=5, max_length=100, description="file name, ending in .pdf")]


@routes.post(
    "/applications/{number}/attachments", needs=Permission.ENTER, status=201, takes=PDF,
    raises=[WrongState, NoAttachments, TooManyAttachments, NotPdf, UnsupportedMediaType, BodyTooLarge, BodyTooSlow],
)  # fmt: skip
async def attach(
    number: WebApplicationNumber, query: Named, request: web.Request, caller: Caller, database: Database, clock: Clock,
    settings: Settings,
) -> ApplicationView:  # fmt: skip
    """Attach a PDF of at most 20 MiB to a draft, which gets a new version. The body is the file (application/pdf)."""
    if not sane_name(query.name):
        raise Invalid.field("query.name", "file_name", "ファイル名は「.pdf」で終わるものを指定してください。")
    async with database.transaction() as tx:
        found = await handled(tx, caller, number, clock.now())
        _check(found)
        if len(await documents.attached(tx, number)) >= MOST_ATTACHMENTS:
            raise TooManyAttachments
    document_id, size, sha256 = await take(request, database, query.name, settings.upload_seconds)
    try:
        async with database.transaction() as tx:
            now = clock.now()
            found = await handled(tx, caller, number, now)
            await applications.held(tx, number)  # so that the others' attachments are counted too
            await documents.seal(tx, document_id, size, sha256)
            await documents.attach(tx, number, document_id)
            saved = await transitions.change_attachments(tx, Step.ATTACH, number, MOST_ATTACHMENTS, who(caller), now)
            if saved is None:
                _check(await handled(tx, caller, number, now))
                raise TooManyAttachments
            return await say_saved(tx, saved, caller)
    except BaseException:
        await documents.discard(database, document_id)
        raise


@routes.delete("/applications/{number}/attachments/{document_id}", needs=Permission.ENTER, raises=[WrongState])
async def detach(
    number: WebApplicationNumber, document_id: UUID, caller: Caller, tx: Tx, clock: Clock
) -> ApplicationView:
    """Remove an attachment from a draft, which gets a new version."""
    now = clock.now()
    _check(await handled(tx, caller, number, now))
    saved = await transitions.change_attachments(tx, Step.DETACH, number, MOST_ATTACHMENTS, who(caller), now)
    if saved is None:
        _check(await handled(tx, caller, number, now))
    if saved is None or not await documents.detach(tx, number, document_id):
        raise NotFound
    return await say_saved(tx, saved, caller)


@routes.get("/applications/{number}/attachments/{document_id}", needs=Permission.USE, gives=PDF)
async def download_attachment(
    number: WebApplicationNumber, document_id: UUID, request: web.Request, caller: Caller, database: Database,
    clock: Clock,
) -> web.StreamResponse:  # fmt: skip
    """The file as it was uploaded."""
    await seen(database, caller, number, clock)
    for row in await documents.attached(database, number):
        if row["id"] == document_id:
            return await send(request, database, row, row["title"])
    raise NotFound


def _check(found: Application) -> None:
    if not found.kind.attachments:
        raise NoAttachments
    if found.state is not State.DRAFT:
        raise not_moved(found, found.version)
