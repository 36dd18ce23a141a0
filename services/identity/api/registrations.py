"""How applicants come to be, one by the form or many by a file: ID, temporary password, mail, events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pydantic_core

from chassis.http import Problem
from chassis.sql import Tx
from contracts.caller import Caller
from contracts.identity import ApplicantRegistered
from contracts.notifier import Template
from contracts.permissions import Role
from identity import addresses, credentials
from identity.api.forms import ApplicantForm
from identity.rules.web_user_ids import web_user_id
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import applicants, users
from identity.store.users import User


class NoIdLeft(Problem):
    """All applicant IDs of this policyholder have been given away."""

    status = 409
    detail = "WebユーザーID（申込者用）は999件まで登録できます。これ以上登録できません。"


class KeyUsedOtherwise(Problem):
    """The idempotency key belongs to a request with other content."""

    status = 422
    detail = "同じIdempotency-Keyで、異なる内容の登録がすでに行われています。"


@dataclass(frozen=True, slots=True)
class Registrar:
    """Who registers, and what it takes."""

    caller: Caller
    source: str
    secrets: Secrets
    settings: IdentitySettings

    @property
    def company(self) -> str:
        """The policyholder code."""
        return self.caller.operator.policyholder_code

    async def register(self, tx: Tx, forms: Sequence[ApplicantForm]) -> list[str]:
        """Register all, or raise; answers the new IDs. The administrator gets a mail for each (R67, R140)."""
        administrator = await users.administrator(tx, self.company)
        assert administrator is not None
        return [await self._register_one(tx, form, administrator) for form in forms]

    async def _register_one(self, tx: Tx, form: ApplicantForm, administrator: User) -> str:
        user = await self._create(tx, form)
        await send_temporary_password(
            tx,
            self.secrets,
            user,
            administrator,
            Template.INITIAL_PASSWORD,
            credentials.Reason.INITIAL_MAIL,
            self.settings.mail_password_life,
        )
        addresses.announce(tx, user)
        tx.emit(
            ApplicantRegistered(
                operator=self.caller.operator,
                session_id=self.caller.session_id,
                source_address=self.source,
                about_user_id=user.user_id,
            )
        )
        return user.user_id

    async def _create(self, tx: Tx, form: ApplicantForm) -> User:
        while (serial := await applicants.allot_serial(tx, self.company)) is not None:
            user = await users.create(
                tx,
                user_id=web_user_id(self.company, serial),
                policyholder_code=self.company,
                role=Role.APPLICANT,
                name=form.name,
                email=form.email,
                phone=form.phone,
                department=form.department,
                title=form.title,
                rights=form.rights(),
            )
            if user is not None:  # else the ID is a group viewer's
                return user
        raise NoIdLeft


async def send_temporary_password(
    tx: Tx,
    secrets: Secrets,
    user: User,
    administrator: User,
    template: Template,
    reason: credentials.Reason,
    life: timedelta,
) -> None:
    """A new temporary password of an applicant, by mail to the administrator (R67, R165); it replaces an older one."""
    temporary = await credentials.new_temporary_password(tx, secrets, user.user_id, reason, life)
    await credentials.send_mail(
        tx,
        template,
        administrator.email,
        user,
        {"user_id": user.user_id, "name": user.name},
        secret=temporary.password,
        not_after=temporary.expires_at,
        supersedes=f"password:{user.user_id}",
    )


async def repeated(tx: Tx, company: str, key: UUID | None, content: object) -> list[str] | None:
    """The IDs that the same request brought before; None for a new one. Raises KeyUsedOtherwise."""
    before = None if key is None else await applicants.registered_before(tx, company, key)
    if before is None:
        return None
    if before["digest"] != digest(content):
        raise KeyUsedOtherwise
    user_ids: list[str] = before["user_ids"]
    return user_ids


async def remember(tx: Tx, company: str, key: UUID | None, content: object, user_ids: Sequence[str]) -> None:
    """So that the same request again answers the same."""
    if key is not None:
        await applicants.remember_registration(tx, company, key, digest(content), user_ids)


def digest(content: Any) -> bytes:
    """What two equal requests have in common."""
    return sha256(content if isinstance(content, bytes) else pydantic_core.to_json(content)).digest()
