"""One-time passwords: issued by mail, entered once a session (R318 to R334, O1 to O4)."""

import secrets as chance
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from aiohttp import web
from pydantic import Field

from chassis.http import Body, Problem, Routes, View, source_of
from chassis.messages import new_id
from chassis.sql import Database, Tx
from contracts.actions import Outcome
from contracts.caller import Caller
from contracts.identity import OneTimePasswordEntered, OneTimePasswordIssued
from contracts.notifier import SealingPurpose, Template
from contracts.permissions import Permission
from identity.api.problems import SessionEnded
from identity.api.sessions import AccessToken, access_token_view
from identity.api.tokens import mint
from identity.credentials import NoSealingKey, send_mail
from identity.keyring import Keyring
from identity.rules.email_addresses import masked
from identity.rules.passwords import normalised
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import issues, one_time_passwords, sessions, users

routes = Routes(tag="one-time passwords")

PURPOSE = "one-time password"
DIGITS = 8
LIFE = timedelta(minutes=10)  # R320: no setting, for the portal says it, and so does the manual


class IssueLimitReached(Problem):
    """Too many one-time passwords were issued to this user."""

    status = 429
    detail = "ワンタイムパスワードの発行回数の上限に達しました。しばらくしてからもう一度お試しください。"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "600"}


class WrongOneTimePassword(Problem):
    """The one-time password is wrong; one more try is left."""

    status = 403
    detail = "ワンタイムパスワードが正しくありません。もう一度間違えると失効します。"


class OneTimePasswordLapsed(Problem):
    """There is no valid one-time password in this session; another one can be issued."""

    status = 409
    detail = "ワンタイムパスワードが失効しています。もう一度発行してください。"


class Issued(View):
    """A one-time password is on its way to the registered address of the user who asked (R329, O4)."""

    sent_to: str = Field(description="the address, mostly hidden", examples=["ni***@sample.com"])
    expires_at: datetime = Field(description="10 minutes after issue (R320)")


class Entry(Body):
    """What was typed."""

    code: Annotated[str, Field(max_length=50, repr=False, examples=["12345678"])]


@routes.post(
    "/one-time-passwords",
    needs=Permission.USE,
    step_up=False,
    status=202,
    raises=[IssueLimitReached, NoSealingKey, SessionEnded],
)
async def issue_one_time_password(
    caller: Caller, request: web.Request, tx: Tx, secrets: Secrets, settings: IdentitySettings
) -> Issued:
    """Mail a new one-time password; the one before does not open any more."""
    user = await users.lock(tx, caller.operator.user_id)
    session = await sessions.alive(tx, caller.session_id, settings.session_idle, settings.session_most)
    if user is None or session is None:
        raise SessionEnded
    if not await issues.take(
        tx,
        user.user_id,
        "one_time_password",
        (settings.one_time_passwords_in_10_minutes, timedelta(minutes=10)),
        (settings.one_time_passwords_per_day, timedelta(days=1)),
    ):
        raise IssueLimitReached
    code = f"{chance.randbelow(10**DIGITS):0{DIGITS}d}"
    issue_id = new_id()
    verifier = secrets.verifier(PURPOSE, f"{caller.session_id}:{issue_id}", code)
    expires_at = await one_time_passwords.issue(tx, caller.session_id, issue_id, verifier, LIFE)
    await send_mail(
        tx,
        Template.ONE_TIME_PASSWORD,
        user.email,
        user,
        {"user_id": user.user_id},
        secret=code,
        purpose=SealingPurpose.CODE,
        not_after=expires_at,
        supersedes=f"one_time_password:{caller.session_id}",
    )
    _record_issue(tx, caller, source_of(request))
    return Issued(sent_to=masked(user.email), expires_at=expires_at)


@routes.post(
    "/one-time-passwords/entries",
    needs=Permission.USE,
    step_up=False,
    raises=[WrongOneTimePassword, OneTimePasswordLapsed, SessionEnded],
    body_limit=1024,
)
async def enter_one_time_password(
    body: Entry,
    caller: Caller,
    request: web.Request,
    database: Database,
    secrets: Secrets,
    settings: IdentitySettings,
    keyring: Keyring,
) -> AccessToken:
    """Enter it; the answer's access token opens every menu. The second wrong entry makes it lapse."""
    source = source_of(request)
    async with database.transaction() as tx:
        refused = await _enter(tx, secrets, caller, body.code)
        tx.emit(
            OneTimePasswordEntered(
                operator=caller.operator,
                session_id=caller.session_id,
                source_address=source,
                outcome=Outcome.DONE if refused is None else Outcome.FAILED,
                lapsed=isinstance(refused, OneTimePasswordLapsed),
            )
        )
    if refused is not None:
        raise refused
    session = await sessions.alive(database, caller.session_id, settings.session_idle, settings.session_most)
    minted = None if session is None else await mint(database, keyring, session)
    if minted is None:
        raise SessionEnded
    return access_token_view(minted)


def _record_issue(tx: Tx, caller: Caller, source: str) -> None:
    tx.emit(OneTimePasswordIssued(operator=caller.operator, session_id=caller.session_id, source_address=source))


async def _enter(tx: Tx, secrets: Secrets, caller: Caller, code: str) -> Problem | None:
    """Count, compare, and open the session; or why not. The count is kept whatever comes of it."""
    row = await one_time_passwords.count_try(tx, caller.session_id)
    if row is None or not row["alive"]:
        return OneTimePasswordLapsed()
    if not _verifies(secrets, caller, row, code):
        last = row["tries"] >= one_time_passwords.TRIES
        return OneTimePasswordLapsed() if last else WrongOneTimePassword()
    if not await one_time_passwords.use(tx, caller.session_id, row["issue"]):
        return OneTimePasswordLapsed()
    await sessions.step_up(tx, caller.session_id)
    return None


def _verifies(secrets: Secrets, caller: Caller, row: Any, code: str) -> bool:
    """Digits may be typed full-width and with blanks between them."""
    typed = "".join(normalised(code).split())
    return secrets.verifies(row["verifier"], PURPOSE, f"{caller.session_id}:{row['issue']}", typed)
