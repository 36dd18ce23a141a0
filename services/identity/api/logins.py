"""Logging in: the one door where a password opens a session, alike for every ID that fails (R33 to R36, L1, L2)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import PUBLIC, Body, Busy, Routes, View, source_of
from chassis.revocations import Revocations
from chassis.sql import Database, Tx
from contracts import fields
from contracts.actions import Operator
from contracts.caller import Caller
from contracts.identity import LoginFailed, LoginSucceeded, UserLocked
from contracts.permissions import Permission
from identity import access
from identity.api import sources
from identity.api.authentication import PASSWORD_BODY_LIMIT, Authentication, Compared, Password, Void
from identity.api.openings import Opened, open_session
from identity.api.problems import LoginRefused, PasswordLocked, TooManyRequests
from identity.api.views import Session, session_view
from identity.settings import IdentitySettings
from identity.store import logins, passwords, source_limits, temporary_passwords

routes = Routes(tag="logins")

SHOWN = 20


class LogIn(Body):
    """Web user ID and password."""

    user_id: fields.WebUserId
    password: Password = Field(repr=False)


class Login(View):
    """A try to log in with one's own ID."""

    at: datetime
    succeeded: bool
    source_address: str
    user_agent: str


class Logins(View):
    """The newest tries."""

    logins: list[Login]


class _Begun:
    """What a successful try left behind, for after the commit."""

    def __init__(self, opened: Opened, previous: datetime | None, compared: Compared, ended: UUID | None) -> None:
        self.opened, self.previous, self.compared, self.ended = opened, previous, compared, ended


@routes.post(
    "/sessions",
    needs=PUBLIC,
    status=201,
    raises=[LoginRefused, PasswordLocked, TooManyRequests, Busy],
    body_limit=PASSWORD_BODY_LIMIT,
)
async def log_in(
    body: LogIn,
    request: web.Request,
    database: Database,
    settings: IdentitySettings,
    authentication: Authentication,
    revocations: Revocations,
) -> Session:
    """Log in. A temporary password opens a session that may only change the password."""
    source, agent = source_of(request), sources.user_agent_of(request)

    async def once() -> _Begun:
        compared = await authentication.compare(body.user_id, body.password)
        if compared.right:
            return await _begin(database, body.user_id, compared, source, agent)
        raise await _refuse(database, authentication, body.user_id, compared, source, agent)

    # Before the database is asked anything, so that overload costs nothing.
    async with authentication.hasher.admitted():
        most, per_minute = settings.failures_per_source, settings.failures_per_source_minute
        await sources.take(database, source_limits.LOGIN, source, most, per_minute)
        begun = await authentication.until_settled(once)
        await source_limits.give_back(database, source_limits.LOGIN, source, most)
        if begun.compared.own:
            await _rehash(database, authentication, body.user_id, body.password, begun.compared.known["password_hash"])
    return session_view(
        settings,
        begun.opened,
        begun.compared.known,
        restricted=not begun.compared.own,
        stepped_up=False,
        last_login_at=begun.previous,
        in_force_from=await revocations.in_force(begun.ended) if begun.ended else None,
    )


@routes.get("/logins", needs=Permission.USE)
async def list_own_logins(caller: Caller, database: Database) -> Logins:
    """One's own newest tries to log in, successful or not."""
    rows = await logins.recent(database, caller.operator.user_id, SHOWN)
    return Logins(logins=[Login(**row) for row in rows])


async def _begin(database: Database, user_id: str, compared: Compared, source: str, agent: str) -> _Begun:
    """Everything that a successful login changes, in one transaction. Raises Void."""
    assert compared.epoch is not None
    ended = None
    async with database.transaction() as tx:
        row = await logins.succeed(tx, user_id, compared.epoch, compared.known["password_hash"], source, agent)
        if row is None:
            raise Void
        if not compared.own:
            ended = await _use_temporary(tx, user_id, compared.known)
        opened = await open_session(
            tx,
            user_id,
            restricted=not compared.own,
            last_login_at=row["previous"],
            source_address=source,
            user_agent=agent,
        )
        operator = _operator(user_id, compared.known)
        tx.emit(LoginSucceeded(operator=operator, session_id=opened.session_id, source_address=source))
    return _Begun(opened, row["previous"], compared, ended)


async def _use_temporary(tx: Tx, user_id: str, known: Any) -> UUID:
    """It works for one login; the old password and what it opened are over now (L5, L6)."""
    if not await temporary_passwords.use(tx, user_id, known["verifier"]):
        raise Void
    await passwords.kill(tx, user_id)
    _, ended = await access.end_all(tx, known["policyholder_code"], user_id, "temporary_password_used")
    return ended


async def _refuse(
    database: Database, authentication: Authentication, user_id: str, compared: Compared, source: str, agent: str
) -> LoginRefused | PasswordLocked:
    """Count and remember the failure; the same statements for IDs that do not exist."""
    async with database.transaction() as tx:
        until = None
        if compared.epoch is not None:
            until = await authentication.fail(tx, user_id, compared)
        await logins.note_failure(tx, user_id, source, agent)
        operator = _operator(user_id, compared.known)
        tx.emit(LoginFailed(operator=operator, source_address=source, reason=_reason(compared)))
        if until is not None:
            tx.emit(UserLocked(operator=operator, source_address=source, until=until))
    return PasswordLocked() if until is not None or compared.epoch is None else LoginRefused()


def _reason(compared: Compared) -> Literal["wrong_password", "locked", "disabled", "expired"]:
    if compared.epoch is None:
        return "locked"
    if compared.known["enabled"] is False:
        return "disabled"
    return "expired" if compared.lapsed else "wrong_password"


async def _rehash(database: Database, authentication: Authentication, user_id: str, password: str, known: str) -> None:
    """Keep the password under today's parameters, once they have risen (L4)."""
    if authentication.hasher.outgrown(known):
        new = await authentication.hasher.hash(password)
        async with database.transaction() as tx:
            await passwords.replace(tx, user_id, known, new)


def _operator(user_id: str, known: Any) -> Operator:
    """Whoever tried, as far as known; an ID that does not exist belongs to no policyholder."""
    return Operator(
        policyholder_code=known["policyholder_code"] or "",
        user_id=user_id,
        name=known["name"] or "",
        department=known["department"] or "",
        title=known["title"] or "",
    )
