"""Sessions: access tokens for them, the list of one's own, and their end (R12, R37, R39, L3, L9)."""

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from chassis.http import PUBLIC, Busy, Header, NotFound, Routes, View, source_of
from chassis.revocations import Revocations
from chassis.sql import Database, Tx
from contracts.caller import Caller
from contracts.identity import LoggedOut, SessionsEnded
from contracts.permissions import Permission
from identity import access
from identity.api.problems import SessionEnded
from identity.api.tokens import Minted, mint
from identity.keyring import Keyring
from identity.secrets import token_hash
from identity.settings import IdentitySettings
from identity.store import sessions, users

routes = Routes(tag="sessions")

SessionToken = Annotated[str, Header("X-Session-Token"), Field(min_length=1, max_length=128)]


class AccessToken(View):
    """What gateways want to see as `Authorization: Bearer`, until `expires_at`."""

    access_token: str
    token_type: str = "Bearer"
    expires_at: datetime
    one_time_password_required: bool = Field(description="most menus are closed until it is entered (O2)")
    password_change_required: bool = Field(description="nothing else is possible before the password is changed (L5)")


class RunningSession(View):
    """One of one's own sessions."""

    session_id: str
    current: bool = Field(description="the one that asks")
    began_at: datetime
    seen_at: datetime = Field(description="when it last took an access token")
    source_address: str
    user_agent: str
    stepped_up: bool = Field(description="the one-time password was entered")


class RunningSessions(View):
    """One's own running sessions, the newest first."""

    sessions: list[RunningSession]


class Ended(View):
    """How many sessions ended. Not before `in_force_from` is that so everywhere; null: it is already (L9)."""

    ended: int
    in_force_from: datetime | None


@routes.post("/access-tokens", needs=PUBLIC, raises=[SessionEnded, Busy])
async def take_access_token(
    session_token: SessionToken, database: Database, settings: IdentitySettings, keyring: Keyring
) -> AccessToken:
    """A fresh access token for a running session; keeps the session alive."""
    session = await sessions.touch(database, token_hash(session_token), settings.session_idle, settings.session_most)
    minted = None if session is None else await mint(database, keyring, session)
    if minted is None:
        raise SessionEnded
    return access_token_view(minted)


@routes.delete("/sessions/current", needs=PUBLIC)
async def log_out(
    session_token: SessionToken,
    request: web.Request,
    database: Database,
    revocations: Revocations,
) -> Ended:
    """Log out. Repeating it, or doing it after a time-out, is no mistake."""
    async with database.transaction() as tx:
        ended = await sessions.end_by_token(tx, token_hash(session_token), "logout")
        if ended is None:
            return Ended(ended=0, in_force_from=None)
        user = await users.find(tx, ended["user_id"])
        assert user is not None
        tx.emit(
            LoggedOut(
                operator=user.operator,
                session_id=ended["session_id"],
                source_address=source_of(request),
            )
        )
        event = access.revoke_sessions(tx, user.policyholder_code, [ended["session_id"]])
    return Ended(ended=1, in_force_from=await revocations.in_force(event))


@routes.get("/sessions", needs=Permission.USE)
async def list_own_sessions(caller: Caller, database: Database, settings: IdentitySettings) -> RunningSessions:
    """One's own running sessions."""
    rows = await sessions.of_user(database, caller.operator.user_id, settings.session_idle, settings.session_most)
    return RunningSessions(
        sessions=[RunningSession(**row, current=row["session_id"] == caller.session_id) for row in rows]
    )


@routes.delete("/sessions/others", needs=Permission.USE)
async def end_other_sessions(
    caller: Caller, request: web.Request, database: Database, revocations: Revocations
) -> Ended:
    """End all of one's own sessions but this one."""
    async with database.transaction() as tx:
        ended = await sessions.end_all(tx, caller.operator.user_id, "ended_by_user", but=caller.session_id)
        if not ended:
            return Ended(ended=0, in_force_from=None)
        _record(tx, caller, len(ended), source_of(request))
        event = access.revoke_sessions(tx, caller.operator.policyholder_code, ended)
    return Ended(ended=len(ended), in_force_from=await revocations.in_force(event))


@routes.delete("/sessions/{session_id}", needs=Permission.USE, raises=[NotFound])
async def end_own_session(
    session_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")],
    caller: Caller,
    request: web.Request,
    database: Database,
    revocations: Revocations,
) -> Ended:
    """End one of one's own sessions."""
    async with database.transaction() as tx:
        if not await sessions.end(tx, caller.operator.user_id, session_id, "ended_by_user"):
            raise NotFound
        _record(tx, caller, 1, source_of(request))
        event = access.revoke_sessions(tx, caller.operator.policyholder_code, [session_id])
    return Ended(ended=1, in_force_from=await revocations.in_force(event))


def access_token_view(minted: Minted) -> AccessToken:
    """A minted token as it is answered."""
    return AccessToken(
        access_token=minted.token,
        expires_at=minted.expires_at,
        one_time_password_required=not minted.caller.stepped_up,
        password_change_required=Permission.USE not in minted.caller.may,
    )


def _record(tx: Tx, caller: Caller, count: int, source: str) -> None:
    tx.emit(
        SessionsEnded(
            operator=caller.operator,
            session_id=caller.session_id,
            source_address=source,
            about_user_id=caller.operator.user_id,
            reason="ended_by_user",
            count=count,
        )
    )
