"""The reset of an applicant's password by the administrator (R163 to R165, L7)."""

from datetime import datetime

from aiohttp import web
from pydantic import Field

from chassis.http import NotFound, Problem, Routes, View, source_of
from chassis.revocations import Revocations
from chassis.sql import Database
from contracts import fields
from contracts.caller import Caller
from contracts.identity import PasswordReset
from contracts.notifier import Template
from contracts.permissions import Permission
from identity import access, credentials
from identity.api.registrations import send_temporary_password
from identity.rules.email_addresses import masked
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import applicants, passwords, users

routes = Routes(tag="applicants")


class ApplicantDisabled(Problem):
    """The applicant is disabled."""

    status = 409
    detail = "使用状態が無効のため、パスワードリセットできません。使用状態を有効にしてから行ってください。"


class Reset(View):
    """The old password is dead; a new one is on its way."""

    user_id: str
    password_sent_to: str = Field(description="the administrator's address, masked")
    in_force_from: datetime | None = Field(description="null: in force everywhere now")
    message: str


@routes.post(
    "/applicants/{user_id}/password-reset",
    needs=Permission.ADMINISTER,
    raises=[NotFound, ApplicantDisabled, credentials.NoSealingKey],
)
async def reset_password(
    user_id: fields.WebUserId,
    caller: Caller,
    request: web.Request,
    secrets: Secrets,
    settings: IdentitySettings,
    revocations: Revocations,
    database: Database,
) -> Reset:
    """The old password dies at once, the applicant's sessions end, the new one goes to the administrator (L7)."""
    company = caller.operator.policyholder_code
    async with database.transaction() as tx:
        user = await applicants.take(tx, company, user_id)
        if user is None:
            raise NotFound
        if not user.enabled:
            raise ApplicantDisabled
        administrator = await users.administrator(tx, company)
        assert administrator is not None
        await passwords.kill(tx, user_id)
        await send_temporary_password(
            tx,
            secrets,
            user,
            administrator,
            Template.PASSWORD_RESET,
            credentials.Reason.RESET,
            settings.new_password_life,
        )
        _, event_id = await access.end_all(tx, company, user_id, "password_reset")
        tx.emit(
            PasswordReset(
                operator=caller.operator,
                session_id=caller.session_id,
                source_address=source_of(request),
                about_user_id=user_id,
            )
        )
    return Reset(
        user_id=user_id,
        password_sent_to=masked(administrator.email),
        in_force_from=await revocations.in_force(event_id),
        message="パスワードをリセットしました。新しいパスワードを管理者のメールアドレスに送信しました。",
    )
