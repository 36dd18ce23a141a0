"""ファイルの添付: PDF files of a draft of 電子申請, added, removed and looked at (R7, R26)."""

import os
from collections.abc import AsyncIterator
from typing import IO, Any, Final

from aiohttp.web import FileField

from portal.answers import Answer
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.screens.drafts import found_by
from portal.sheets.catalogue import sheet_of
from portal.visits import Visit

screens = Screens()

PATH: Final = "/applications/{number:[0-9-]+}/attachments"
MOST_BYTES: Final = 20 * 1024 * 1024
LIMIT: Final = MOST_BYTES + 64 * 1024
"""Of the form around one file."""
PIECE_BYTES: Final = 64 * 1024


class Pieces:
    """A file on its way to a gateway, never whole in memory; from its beginning each time it is sent."""

    def __init__(self, file: IO[Any]) -> None:
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(PIECE_BYTES):
            yield piece


@screens.get(PATH, needs=Needs.USER)
async def show(visit: Visit) -> Answer:
    """What is attached, and the form for one more."""
    found = await found_by(visit)
    sheet = sheet_of(found)
    if not found["may_resume"] or not sheet.attachments:
        return visit.go(f"/applications/{found['number']}")
    form = Form(errors=visit.state.get("errors", {}))
    return visit.page("procedures/attachments.html", found=found, sheet=sheet, form=form, pattern=sheet.pattern)


@screens.post(PATH, needs=Needs.USER, limit=LIMIT)
async def change(visit: Visit) -> Answer:
    """添付する, or 削除 of one that is there."""
    path = f"/applications/{visit.args['number']}/attachments"
    try:
        removed = str(visit.form.get("remove", ""))
        if removed:
            await _remove(visit, path, removed)
        else:
            await _attach(visit, path)
    except Refused as refusal:
        if refusal.status not in (409, 413, 415, 422):
            raise
        sentences = [one for many in refusal.fields.values() for one in many] or [refusal.detail]
        return visit.go(path, {"errors": {"file": sentences}})
    return visit.go(path)


@screens.get(PATH + "/{document_id:[0-9a-f-]+}", needs=Needs.USER)
async def download(visit: Visit) -> Answer:
    """The file as it was attached."""
    number, document_id = visit.args["number"], visit.args["document_id"]
    return await visit.download(Gateway.APPLICATIONS, f"/applications/{number}/attachments/{document_id}")


async def _attach(visit: Visit, path: str) -> None:
    file = visit.form.get("file")
    if not isinstance(file, FileField) or not file.filename:
        raise Refused(422, {"detail": "添付するPDFファイルを選択してください。"})
    if len(file.filename) > 100:
        raise Refused(422, {"detail": "ファイル名は100文字以内にしてください。"})
    if file.file.seek(0, os.SEEK_END) > MOST_BYTES:
        raise Refused(413, {"detail": "ファイルの大きさは20MBまでです。"})
    named, kind = {"name": file.filename}, {"Content-Type": "application/pdf"}
    await visit.ask(Gateway.APPLICATIONS, "POST", path, params=named, data=Pieces(file.file), headers=kind)


async def _remove(visit: Visit, path: str, document_id: str) -> None:
    """One that is gone already is removed, too."""
    found = await found_by(visit)
    if document_id in {one["id"] for one in found["attachments"]}:
        await visit.ask(Gateway.APPLICATIONS, "DELETE", f"{path}/{document_id}")
