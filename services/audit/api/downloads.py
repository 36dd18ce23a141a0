"""Downloading what a search found: one streamed file, exactly the promised records, then its signed manifest."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from audit.api.searches import NOTHING
from audit.api.streams import Exports, stream
from audit.labels import OUTCOMES, labels
from audit.proof.keys import Signer
from audit.proof.manifests import Manifest, sign
from audit.rules import files
from audit.rules.windows import Window
from audit.store import log, searches
from chassis.http import NotFound, Problem, Routes, source_of
from chassis.sql import Database
from contracts.audit import HistoryExported
from contracts.caller import Caller
from contracts.operations import PRINTED
from contracts.permissions import Permission

history = Routes(tag="access history")
trail = Routes(tag="security trail")

_PRINTED = {operation.value: text for operation, text in PRINTED.items()}
_OUTCOMES = {outcome.value: text for outcome, text in OUTCOMES.items()}


class NothingFound(Problem):
    """The search found nothing to download."""

    status = 409
    detail = NOTHING


class NotDelivered(Problem):
    """There is no manifest before the file was downloaded whole."""

    status = 409
    detail = "ダウンロードが完了していないため、証明書はまだありません。"


@history.get("/access-history/searches/{search_id}/csv", needs=Permission.ADMINISTER, raises=[NotFound, NothingFound])
async def download_history(
    search_id: UUID, caller: Caller, request: web.Request, database: Database, exports: Exports, signer: Signer
) -> web.StreamResponse:
    """The file of a search: catalogue operations as the manual prints them (R240, R307 to R317)."""
    return await _download("history", search_id, caller, request, database, exports, signer)


@trail.get("/security-trail/searches/{search_id}/csv", needs=Permission.ADMINISTER, raises=[NotFound, NothingFound])
async def download_trail(
    search_id: UUID, caller: Caller, request: web.Request, database: Database, exports: Exports, signer: Signer
) -> web.StreamResponse:
    """The file of a search of the security trail."""
    return await _download("trail", search_id, caller, request, database, exports, signer)


@history.get(
    "/access-history/searches/{search_id}/manifest", needs=Permission.ADMINISTER, raises=[NotFound, NotDelivered]
)
async def show_history_manifest(search_id: UUID, caller: Caller, database: Database) -> Manifest:
    """The signed statement to keep beside the file; `python -m audit verify-csv` checks both without a network."""
    return await _manifest("history", search_id, caller, database)


@trail.get(
    "/security-trail/searches/{search_id}/manifest", needs=Permission.ADMINISTER, raises=[NotFound, NotDelivered]
)
async def show_trail_manifest(search_id: UUID, caller: Caller, database: Database) -> Manifest:
    """The same for a file of the security trail."""
    return await _manifest("trail", search_id, caller, database)


async def _find(view: searches.View, search_id: UUID, caller: Caller, database: Database) -> Any:
    code, user_id = caller.operator.policyholder_code, caller.operator.user_id
    search = await searches.find(database, search_id, view, code, user_id)
    if search is None:
        raise NotFound
    if not search["records"]:
        raise NothingFound
    return search


async def _download(
    view: searches.View,
    search_id: UUID,
    caller: Caller,
    request: web.Request,
    database: Database,
    exports: Exports,
    signer: Signer,
) -> web.StreamResponse:
    search = await _find(view, search_id, caller, database)
    async with exports.turn():
        await _remember(search, caller, request, database)
        response = web.StreamResponse(headers=_headers(search))
        await response.prepare(request)
        names = _PRINTED if view == "history" else labels()
        digest = await stream(database, search, names, _OUTCOMES, response.write)
        manifest = sign(signer, search, digest, await log.head_at(database, search["up_to"]))
        async with database.transaction() as tx:
            await searches.keep_manifest(tx, search["id"], manifest.model_dump(mode="json"))
        await response.write_eof()
        return response


async def _remember(search: Any, caller: Caller, request: web.Request, database: Database) -> None:
    """Before the first byte: an export that cannot be recorded does not happen."""
    window = Window(search["first_day"], search["last_day"])
    async with database.transaction() as tx:
        tx.emit(
            HistoryExported(
                operator=caller.operator,
                session_id=caller.session_id,
                source_address=source_of(request),
                view=search["view"],
                form=search["form"],
                window_from=window.starts_at,
                window_to=min(window.ends_before, search["asked_at"]),
                target_user_id=search["target_user_id"],
                records=search["records"],
            )
        )


def _headers(search: Any) -> Mapping[str, str]:
    plain, japanese = files.name(search["view"], search["first_day"], search["last_day"])
    return {
        "Content-Type": f"text/csv; charset={files.CHARSETS[search['encoding']]}; header=present",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(japanese)}",
        "Record-Count": str(search["records"]),
        "Expected-Bytes": str(search["bytes"]),
    }


async def _manifest(view: searches.View, search_id: UUID, caller: Caller, database: Database) -> Manifest:
    search = await _find(view, search_id, caller, database)
    found = await searches.manifest(database, search["id"])
    if found is None:
        raise NotDelivered
    return Manifest.model_validate(found)
