"""A new password for an administrator who forgot it: answered alike for all, worked on later (R121 to R124, L6)."""

import asyncio
from datetime import timedelta
from typing import Annotated

import asyncpg
import structlog
from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from chassis.http import PUBLIC, Body, Routes, View, source_of
from chassis.sql import DATABASE_AWAY, Database, Tx
from contracts import fields
from contracts.actions import Operator, Outcome
from contracts.identity import PasswordReissued
from contracts.notifier import Template
from contracts.permissions import Role
from identity.api import sources
from identity.api.problems import TooManyRequests
from identity.credentials import NoSealingKey, Reason, new_temporary_password, send_mail
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import issues, reissue_requests, source_limits, users
from identity.store.users import User

log = structlog.get_logger()

routes = Routes(tag="passwords")

PAUSE_SECONDS = 1.0
GIVEN_UP_AFTER = timedelta(hours=1)
"""What could not be worked on for this long is refused: nobody waits for the mail any more."""
DAY = timedelta(days=1)
_WEB_USER_ID: TypeAdapter[str] = TypeAdapter(fields.WebUserId)


class Bell(asyncio.Event):
    """Rung when a request was kept, so that this process looks at it at once."""


class ReissueRequest(Body):
    """What the screen asks for; nothing is said about whether it is right."""

    user_id: Annotated[str, Field(max_length=200)]
    email: Annotated[str, Field(max_length=200, repr=False)]


class Accepted(View):
    """The same for every request."""

    message: str = (
        "入力内容が登録内容と一致した場合は、登録メールアドレスあてに新しいパスワードを送信します。"
        "新しいパスワードでログインするまでは、これまでのパスワードもご利用いただけます。"
    )


@routes.post("/password-reissues", needs=PUBLIC, status=202, raises=[TooManyRequests], body_limit=4096)
async def request_reissue(
    body: ReissueRequest, request: web.Request, database: Database, settings: IdentitySettings, bell: Bell
) -> Accepted:
    """Ask for a new password by mail. Answers before anybody looked whether ID and address are right."""
    source = source_of(request)
    await sources.take(
        database, source_limits.REISSUE, source, settings.reissues_per_source, settings.reissues_per_source_minute
    )
    if _is_id(body.user_id):  # else it is nobody's, and perhaps a password that was typed into the wrong field
        await reissue_requests.put(database, body.user_id, body.email, source)
        bell.set()
    return Accepted()


async def carry_out(database: Database, secrets: Secrets, settings: IdentitySettings, bell: Bell) -> None:
    """Work on kept requests, one after the other, as long as the process runs."""
    while True:
        bell.clear()
        try:
            while await _carry_out_next(database, secrets, settings):
                pass
        except (*DATABASE_AWAY, asyncpg.PostgresError, NoSealingKey) as error:
            log.warning("reissues_wait", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                await bell.wait()
        except TimeoutError:
            continue


async def _carry_out_next(database: Database, secrets: Secrets, settings: IdentitySettings) -> bool:
    async with database.transaction() as tx:
        wanted = await reissue_requests.take(tx, GIVEN_UP_AFTER)
        if wanted is None:
            return False
        user = await users.lock(tx, wanted["user_id"])  # else the mail could go to whom the administrator was before
        granted = user is not None and not wanted["lapsed"] and await _may_have_one(tx, settings, user, wanted["email"])
        # Also for an ID that does not exist: what the trail shows, and what the work costs, is the same.
        tx.emit(
            PasswordReissued(
                operator=user.operator if user else Operator(policyholder_code="", user_id=wanted["user_id"]),
                source_address=wanted["source_address"],
                outcome=Outcome.DONE if granted else Outcome.REFUSED,
            )
        )
        if user is not None and granted:
            await _send(tx, secrets, settings, user)
    return True


async def _may_have_one(tx: Tx, settings: IdentitySettings, user: User, email: str) -> bool:
    """For the registered (not a pending) address of an enabled administrator only, and not too often."""
    return (
        user.role is Role.ADMINISTRATOR
        and user.enabled
        and user.email.lower() == email.strip().lower()
        and await issues.take(tx, user.user_id, "reissue", (settings.reissues_per_day, DAY))
    )


async def _send(tx: Tx, secrets: Secrets, settings: IdentitySettings, user: User) -> None:
    """A temporary password by mail; the old one keeps working until it is used (L6)."""
    temporary = await new_temporary_password(tx, secrets, user.user_id, Reason.REISSUE, settings.new_password_life)
    await send_mail(
        tx,
        Template.PASSWORD_REISSUED,
        user.email,
        user,
        {"user_id": user.user_id},
        secret=temporary.password,
        not_after=temporary.expires_at,
        supersedes=f"reissue:{user.user_id}",
    )


def _is_id(text: str) -> bool:
    try:
        _WEB_USER_ID.validate_python(text)
    except ValidationError:
        return False
    return True
