"""Administrators change their own data: shown, validated, confirmed (R68, R110 to R118, R321 to R323)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import Invalid, NotFound, Routes, View, source_of
from chassis.revocations import Revocations
from chassis.sql import Database, Reader, Tx
from contracts.caller import Caller
from contracts.identity import AdministratorChanged, OneTimePasswordSettingChanged
from contracts.permissions import Permission
from identity import access, addresses
from identity.api.administrator_views import Administrator, PendingAddress, shown
from identity.api.authentication import Authentication, Password
from identity.api.email_changes import EmailChangeLimitReached, EmailChangeOrder
from identity.api.forms import Confirmation, PersonForm, StaleVersion, Version, address_hints, check_version, items
from identity.api.problems import PasswordLocked, WrongPassword
from identity.credentials import NoSealingKey
from identity.rules.applicants import ADMINISTRATOR_LABELS, changed_fields
from identity.settings import IdentitySettings
from identity.store import administrators, companies, users
from identity.store.users import User

routes = Routes(tag="administrator")

PERSON = {"email", "name", "phone", "department", "title"}


class AdministratorForm(PersonForm):
    """The own data as it shall be, entered over the version that was shown."""

    version: Version
    one_time_password: bool = Field(description="ワンタイムパスワード利用, for all users of the policyholder (R323)")


class AdministratorChange(AdministratorForm):
    """The same, confirmed; a new address asks for the current password again (E1)."""

    current_password: Password | None = Field(None, repr=False, description="only when the e-mail address changes")


class AdministratorConfirmation(Confirmation):
    """What 確定する would do."""

    needs_current_password: bool


class Changed(View):
    """Webユーザー（管理者）情報変更完了, with or without a new address (R114, R118)."""

    changed: list[str]
    email_change: PendingAddress | None = Field(description="the new address that waits for its link")
    in_force_from: datetime | None = Field(description="null: in force everywhere now")
    message: str
    administrator: Administrator


@routes.get("/administrator", needs=Permission.ADMINISTER)
async def show_administrator(caller: Caller, settings: IdentitySettings, database: Database) -> Administrator:
    """The own data, with an address that waits for its link."""
    return await shown(database, await _own(database, caller), settings)


@routes.post("/administrator/validation", needs=Permission.ADMINISTER, raises=[StaleVersion])
async def validate_administrator(
    body: AdministratorForm, caller: Caller, database: Database
) -> AdministratorConfirmation:
    """確認する: all values, and which of them are new (R112). Nothing is stored."""
    user = await _own(database, caller)
    check_version(body.version, user.version)
    before, after = await _values(database, user), _wished(body)
    changed = changed_fields(before, after)
    return AdministratorConfirmation(
        items=items({"user_id": user.user_id, **after}, before, ADMINISTRATOR_LABELS),
        changed=list(changed),
        warnings=address_hints(body.email) if "email" in changed else [],
        needs_current_password="email" in changed,
    )


@routes.put(
    "/administrator",
    needs=Permission.ADMINISTER,
    raises=[StaleVersion, WrongPassword, PasswordLocked, EmailChangeLimitReached, NoSealingKey],
)
async def change_administrator(
    body: AdministratorChange,
    caller: Caller,
    request: web.Request,
    settings: IdentitySettings,
    authentication: Authentication,
    revocations: Revocations,
    database: Database,
) -> Changed:
    """確定する: everything but the address is in force at once, everywhere; the address waits for its link (E1)."""
    user = await _own(database, caller)
    check_version(body.version, user.version)
    if body.email != user.email:
        await _ask_again(body.current_password, user, authentication)
    action = {
        "operator": caller.operator,
        "session_id": caller.session_id,
        "source_address": source_of(request),
    }
    async with database.transaction() as tx:
        held = await users.lock(tx, user.user_id)
        assert held is not None
        check_version(body.version, held.version)
        changed = changed_fields(await _values(tx, held), _wished(body))
        event_id = await _apply(tx, held, body, changed, action) if changed else None
        if "email" in changed:
            await EmailChangeOrder(settings, action).place(tx, held, body.email)
    administrator = await shown(database, await _own(database, caller), settings)
    return Changed(
        changed=list(changed),
        email_change=administrator.pending_email if "email" in changed else None,
        in_force_from=await revocations.in_force(event_id) if event_id is not None else None,
        message=_message(changed),
        administrator=administrator,
    )


async def _ask_again(password: str | None, user: User, authentication: Authentication) -> None:
    if password is None:
        message = "メールアドレスを変更する場合は、現在のパスワードを入力してください。"
        raise Invalid.field("body.current_password", "missing", message)
    async with authentication.hasher.admitted():
        await authentication.until_settled(lambda: authentication.confirm(user.user_id, password))


async def _apply(
    tx: Tx, user: User, body: AdministratorChange, changed: tuple[str, ...], action: dict[str, Any]
) -> UUID | None:
    """Write what is in force at once; answers the revocation to wait for, if tokens said something else."""
    now = await administrators.change(
        tx, user.user_id, name=body.name, phone=body.phone, department=body.department, title=body.title
    )
    if "name" in changed:
        addresses.announce(tx, now)
    person = tuple(name for name in changed if name in PERSON - {"email"})
    if person:
        tx.emit(AdministratorChanged(**action, changed=person))
    if "one_time_password" in changed:
        await administrators.switch_one_time_passwords(tx, user.policyholder_code, body.one_time_password)
        tx.emit(OneTimePasswordSettingChanged(**action, in_use=body.one_time_password))
        return await access.revoke_company(tx, user.policyholder_code)
    if {"name", "department", "title"} & set(changed):
        return await access.revoke_user(tx, user.policyholder_code, user.user_id)
    return None


async def _own(db: Reader, caller: Caller) -> User:
    user = await users.find(db, caller.operator.user_id)
    if user is None or user.policyholder_code != caller.operator.policyholder_code:
        raise NotFound
    return user


async def _values(db: Reader, user: User) -> dict[str, Any]:
    company = await companies.find(db, user.policyholder_code)
    return user.model_dump(include=PERSON) | {
        "one_time_password": company is not None and company.uses_one_time_password
    }


def _wished(body: AdministratorForm) -> dict[str, Any]:
    return body.model_dump(include={*PERSON, "one_time_password"})


def _message(changed: tuple[str, ...]) -> str:
    if "email" in changed:
        return (
            "Webユーザー（管理者）の情報を変更しました。変更後のメールアドレスに確認用メールを送信しました。"
            "メール到着後24時間以内にメールに記載されているURLをクリックすると、メールアドレスの変更が完了します。"
        )
    return "Webユーザー（管理者）の情報を変更しました。" if changed else "変更された項目はありません。"
