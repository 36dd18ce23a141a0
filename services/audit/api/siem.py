"""For operators: everything recorded, of all policyholders, as JSON Lines in OCSF classes; also live."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import pydantic_core
from aiohttp import web
from pydantic import Field

from audit.labels import label
from audit.rules import ocsf
from audit.store import log, trail
from chassis.http import Body, Routes
from chassis.messages import Event
from chassis.sql import Database, Reader
from chassis.tokens import Verifier
from contracts import identity
from contracts.actions import AccessRefused
from contracts.audit import HistoryExported, HistorySearched
from contracts.caller import Caller
from contracts.operations import PRINTED, Operation
from contracts.permissions import Permission

PAGE = 1000
PAUSE_SECONDS = 0.5
BEAT_SECONDS = 10.0

routes = Routes(tag="security events")

_KINDS: dict[type[Event], ocsf.Activity] = {
    identity.LoginSucceeded: ocsf.LOGON,
    identity.LoginFailed: ocsf.LOGON,
    identity.LoggedOut: ocsf.LOGOFF,
    identity.SessionsEnded: ocsf.LOGOFF,
    identity.OneTimePasswordIssued: ocsf.AUTHENTICATION_OTHER,
    identity.OneTimePasswordEntered: ocsf.AUTHENTICATION_OTHER,
    identity.UserLocked: ocsf.ACCOUNT_LOCK,
    identity.UserUnlocked: ocsf.ACCOUNT_OTHER,
    identity.PasswordChanged: ocsf.PASSWORD_CHANGE,
    identity.PasswordReissued: ocsf.PASSWORD_RESET,
    identity.PasswordReset: ocsf.PASSWORD_RESET,
    identity.ApplicantRegistered: ocsf.ACCOUNT_CREATE,
    identity.ApplicantChanged: ocsf.ACCOUNT_OTHER,
    identity.AdministratorChanged: ocsf.ACCOUNT_OTHER,
    identity.EmailChangeRequested: ocsf.ACCOUNT_OTHER,
    identity.EmailChanged: ocsf.ACCOUNT_OTHER,
    HistorySearched: ocsf.READ,
    HistoryExported: ocsf.READ,
}
_ACTIVITIES = {kind.wire_type(): activity for kind, activity in _KINDS.items()}
_REFUSED = AccessRefused.wire_type().partition(".")[2]
_SWITCHED = identity.OneTimePasswordSettingChanged.wire_type()


class Asked(Body):
    """Where to begin and which rows."""

    after: int | None = Field(
        None, ge=0, lt=2**63, description="number of the last row already known; none: from now on"
    )
    view: Literal["all", "history", "trail"] = "all"
    follow: bool = Field(False, description="keep the connection and send what is recorded, as it is recorded")


@routes.get("/security-events", needs=Permission.OPERATE)
async def read_security_events(
    query: Asked,
    caller: Caller,
    request: web.Request,
    database: Database,
    verifier: Verifier,  # type: ignore[type-arg]  # provided by its class, whoever calls
) -> web.StreamResponse:
    """JSON Lines. `metadata.sequence` of the last line is the `after` of the next request; following, empty lines
    show that the connection lives. It breaks off when the token counts no more."""
    # Before the answer begins: whoever sees it begin counts on everything from then on.
    after = (await log.end(database))["rows"] if query.after is None else query.after
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    async for piece in ocsf_lines(database, after, query.view, follow=query.follow):
        await verifier(request)  # it may go on for weeks
        await response.write(piece)
    await response.write_eof()
    return response


async def ocsf_lines(reader: Reader, after: int | None, view: str, *, follow: bool) -> AsyncIterator[bytes]:
    """Rows beyond `after` as lines; following, it never ends and sends an empty line after 10 s without a row."""
    place = (await log.end(reader))["rows"] if after is None else after
    quiet = 0.0
    while True:
        last, rows = await trail.arrivals(reader, place, view, PAGE)
        moved, place = last > place, last
        if rows:
            yield b"".join(pydantic_core.to_json(as_ocsf(row)) + b"\n" for row in rows)
            quiet = 0.0
        if moved:
            continue
        if not follow:
            return
        await asyncio.sleep(PAUSE_SECONDS)
        quiet += PAUSE_SECONDS
        if quiet >= BEAT_SECONDS:
            yield b"\n"
            quiet = 0.0


def as_ocsf(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in its class."""
    operation = row["operation"]
    text = label(row["type"]) if operation is None else PRINTED[Operation(operation)]
    return ocsf.event(row, _activity(row), text)


def _activity(row: Mapping[str, Any]) -> ocsf.Activity:
    kind = row["type"]
    if kind == _SWITCHED:
        return ocsf.MFA_ENABLE if row["details"].get("in_use") else ocsf.MFA_DISABLE
    if kind.partition(".")[2] == _REFUSED:
        return ocsf.API_OTHER
    return _ACTIVITIES.get(kind, ocsf.UPDATE if row["operation"] else ocsf.API_OTHER)
