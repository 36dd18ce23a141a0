"""A new e-mail address of an administrator: ordered with a mail to it, confirmed by its link (E1 to E3)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from aiohttp import web
from pydantic import Field

from chassis.http import PUBLIC, Body, NotFound, Problem, Routes, View, source_of
from chassis.messages import new_id
from chassis.sql import Tx
from contracts.caller import Caller
from contracts.identity import AdministratorChanged, EmailChanged, EmailChangeRequested
from contracts.notifier import Template
from contracts.permissions import Permission
from identity import addresses, credentials
from identity.api.administrator_views import link_of
from identity.rules.email_addresses import LinkState, masked
from identity.secrets import new_token, token_hash
from identity.settings import IdentitySettings
from identity.store import administrators, email_changes, users
from identity.store.users import User

routes = Routes(tag="email changes")

PAGE = "/email-confirmation"
"""The portal's page behind the link; opening it changes nothing, its button confirms (E3)."""

DAY = timedelta(days=1)


class EmailChangeLimitReached(Problem):
    """Too many new addresses were asked for."""

    status = 429
    detail = "メールアドレス変更の回数の上限に達しました。しばらくしてからもう一度お試しください。"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "3600"}


class UnknownLink(Problem):
    """There is no such link."""

    status = 404
    detail = "このURLは正しくありません。メールに記載されているURLをもう一度ご確認ください。"


class SupersededLink(Problem):
    """A newer request replaced this link."""

    status = 410
    detail = (
        "より新しいメールアドレス変更の手続きが行われたため、このURLは無効です。新しいメールのURLをご利用ください。"
    )


class WithdrawnLink(Problem):
    """The request was taken back."""

    status = 410
    detail = "メールアドレス変更の手続きが取り消されたため、このURLは無効です。"


class LapsedLink(Problem):
    """The 24 hours are over."""

    status = 410
    detail = "URLの有効期限（24時間）が過ぎています。メールアドレスの変更をもう一度行ってください。"


class Token(Body):
    """What the link carries in its fragment."""

    token: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")


class Confirmed(View):
    """The new address is in force."""

    state: Literal["done", "already_done"]
    address: str = Field(description="masked")
    message: str


@dataclass(frozen=True, slots=True)
class EmailChangeOrder:
    """An administrator's wish for another address; `action`: who, from where, in which session."""

    settings: IdentitySettings
    action: dict[str, Any]

    async def place(self, tx: Tx, user: User, address: str) -> None:
        """Remember it and order the mails; an older wish is superseded (E1). Raises EmailChangeLimitReached."""
        if await email_changes.requested_within(tx, user.user_id, DAY) >= self.settings.email_changes_per_day:
            raise EmailChangeLimitReached
        token, now = new_token(), datetime.now(UTC)
        facts, not_after = {"user_id": user.user_id}, now + self.settings.email_change_life
        mail_id = await credentials.send_mail(
            tx,
            Template.EMAIL_CONFIRMATION,
            address,
            user,
            facts,
            secret=f"{self.settings.portal_url.rstrip('/')}{PAGE}#token={token}",
            not_after=not_after,
            supersedes=f"email change:{user.user_id}",
        )
        await credentials.send_mail(tx, Template.EMAIL_CHANGE_NOTICE, user.email, user, facts, not_after=not_after)
        await email_changes.request(
            tx,
            new_id(),
            user_id=user.user_id,
            new_address=address,
            token_hash=token_hash(token),
            mail_id=mail_id,
            now=now,
        )
        tx.emit(EmailChangeRequested(**self.action))


@routes.post(
    "/email-changes/confirmation", needs=PUBLIC, raises=[UnknownLink, SupersededLink, WithdrawnLink, LapsedLink]
)
async def confirm_email_change(body: Token, request: web.Request, settings: IdentitySettings, tx: Tx) -> Confirmed:
    """The button behind the link; no login needed. Repeating it within the 24 hours changes nothing (E3)."""
    hashed = token_hash(body.token)
    user_id = await email_changes.owner(tx, hashed)
    user = await users.lock(tx, user_id) if user_id is not None else None
    if user is None or not user.enabled:
        raise UnknownLink
    change = await email_changes.by_token(tx, hashed)
    state = link_of(change).state(change["now"], settings.email_change_life)
    if state in _REFUSALS:
        raise _REFUSALS[state]
    if state is LinkState.PENDING:
        await _take_effect(tx, user, change, source_of(request))
    return Confirmed(
        state="done" if state is LinkState.PENDING else "already_done",
        address=masked(change["new_address"]),
        message="メールアドレスの変更が完了しました。"
        if state is LinkState.PENDING
        else "メールアドレスの変更はすでに完了しています。",
    )


_REFUSALS: dict[LinkState, type[Problem]] = {
    LinkState.SUPERSEDED: SupersededLink,
    LinkState.WITHDRAWN: WithdrawnLink,
    LinkState.LAPSED: LapsedLink,
}


@routes.delete("/administrator/email-change", needs=Permission.ADMINISTER, raises=[NotFound])
async def withdraw_email_change(caller: Caller, request: web.Request, tx: Tx) -> None:
    """Take the open request back; its link is void."""
    user = await users.lock(tx, caller.operator.user_id)
    if user is None or not await email_changes.withdraw(tx, user.user_id):
        raise NotFound
    tx.emit(
        AdministratorChanged(
            operator=caller.operator,
            session_id=caller.session_id,
            source_address=source_of(request),
            changed=("pending_email",),
        )
    )


async def _take_effect(tx: Tx, user: User, change: Any, source: str) -> None:
    await email_changes.confirm(tx, change["id"])
    await email_changes.note_working(tx, user.user_id)
    addresses.announce(tx, await administrators.set_address(tx, user.user_id, change["new_address"]))
    tx.emit(EmailChanged(operator=user.operator, source_address=source))
