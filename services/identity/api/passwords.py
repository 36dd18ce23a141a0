"""Changing one's own password: of one's own will, or because it was a temporary one (R94, R96 to R98, L4, L5)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import Body, Busy, FieldError, Invalid, Routes, StepUpRequired, Unauthenticated, source_of
from chassis.revocations import Revocations
from chassis.sql import Database, Tx
from contracts.caller import Caller
from contracts.identity import PasswordChanged
from contracts.permissions import Permission
from identity import access
from identity.api import sources
from identity.api.authentication import PASSWORD_BODY_LIMIT, Authentication, Password, Void
from identity.api.openings import Opened, open_session
from identity.api.problems import PasswordLocked, WrongPassword
from identity.api.views import Session, session_view
from identity.credentials import TEMPORARY
from identity.rules.passwords import broken_rules
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import logins, passwords, sessions, temporary_passwords, users

routes = Routes(tag="passwords")


class PasswordChange(Body):
    """The current password (the temporary one, if one logged in with it) and the new one."""

    current_password: Password = Field(repr=False)
    new_password: Password = Field(repr=False)


@routes.put(
    "/password",
    needs=Permission.CHANGE_PASSWORD,
    step_up=False,
    body_limit=2 * PASSWORD_BODY_LIMIT,
    raises=[WrongPassword, PasswordLocked, StepUpRequired, Invalid, Unauthenticated, Busy],
)
async def change_password(
    body: PasswordChange,
    caller: Caller,
    request: web.Request,
    database: Database,
    settings: IdentitySettings,
    authentication: Authentication,
    secrets: Secrets,
    revocations: Revocations,
) -> Session:
    """Change the own password. All sessions end, this one too: the answer is a new one in its place (L9)."""
    forced = Permission.USE not in caller.may
    if not forced and not caller.stepped_up:
        raise StepUpRequired
    current, new = body.current_password, body.new_password
    _check(new, current, caller, settings)
    change = _Change(caller, forced, source_of(request), sources.user_agent_of(request))

    async def once() -> UUID:
        known = None
        if forced:
            await _confirm_temporary(database, secrets, caller.operator.user_id, current)
        else:
            known = await authentication.confirm(caller.operator.user_id, current)
        hashed = await authentication.hasher.hash(new)
        async with database.transaction() as tx:
            return await change.carry_out(tx, settings, known, hashed)

    async with authentication.hasher.admitted():
        event = await authentication.until_settled(once)
    return await change.shown(database, settings, await revocations.in_force(event))


class _Change:
    """One change of one password, and what it left behind."""

    def __init__(self, caller: Caller, forced: bool, source: str, agent: str) -> None:
        self._caller, self._forced, self._source, self._agent = caller, forced, source, agent
        self.opened: Opened | None = None
        self.session: Any = None

    async def carry_out(self, tx: Tx, settings: IdentitySettings, known: str | None, hashed: str) -> UUID:
        """Everything it changes, in one transaction. Raises Void when another change was faster."""
        user_id, code = self._caller.operator.user_id, self._caller.operator.policyholder_code
        await users.lock(tx, user_id)
        # Read after the lock: a reset or logout that came before must win, else it would be undone.
        self.session = await sessions.alive(tx, self._caller.session_id, settings.session_idle, settings.session_most)
        if self.session is None:
            raise Unauthenticated
        if not await passwords.replace(tx, user_id, known, hashed):
            raise Void
        await temporary_passwords.void(tx, user_id)
        _, event = await access.end_all(tx, code, user_id, "password_changed")
        self.opened = await open_session(
            tx,
            user_id,
            restricted=False,
            last_login_at=self.session["last_login_at"],
            stepped_up_at=self.session["stepped_up_at"],
            source_address=self._source,
            user_agent=self._agent,
        )
        tx.emit(
            PasswordChanged(
                operator=self._caller.operator,
                session_id=self._caller.session_id,
                source_address=self._source,
                forced=self._forced,
            )
        )
        return event

    async def shown(self, database: Database, settings: IdentitySettings, in_force_from: datetime | None) -> Session:
        """The new session, once it is committed."""
        assert self.opened is not None
        return session_view(
            settings,
            self.opened,
            await logins.candidate(database, self._caller.operator.user_id),
            restricted=False,
            stepped_up=self.session["stepped_up_at"] is not None,
            last_login_at=self.session["last_login_at"],
            in_force_from=in_force_from,
        )


def _check(new: str, current: str, caller: Caller, settings: IdentitySettings) -> None:
    """Refuse a new password with every rule that it breaks. Raises Invalid."""
    broken = broken_rules(
        new,
        user_id=caller.operator.user_id,
        current=current,
        shortest=settings.password_shortest,
        longest=settings.password_longest,
    )
    if broken:
        field = "body.new_password"
        raise Invalid([FieldError(field=field, rule=one.rule, message=one.message) for one in broken])


async def _confirm_temporary(database: Database, secrets: Secrets, user_id: str, current: str) -> None:
    """The temporary password is asked again; too long to be guessed, so tries need not be counted."""
    async with database.transaction() as tx:
        verifier = await temporary_passwords.used(tx, user_id)
    if verifier is None or not secrets.verifies(verifier, TEMPORARY, user_id, current):
        raise WrongPassword
