"""Changes of an applicant by the administrator: entered, confirmed, in force at once (R146 to R162)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import NotFound, Routes, View, source_of
from chassis.revocations import Revocations
from chassis.sql import Database, Tx
from contracts import fields
from contracts.caller import Caller
from contracts.identity import ApplicantChanged
from contracts.permissions import Permission
from identity import access, addresses
from identity.api.applicant_views import Applicant, facts, shown
from identity.api.forms import (
    ApplicantChange,
    Confirmation,
    StaleVersion,
    address_hints,
    check_rules,
    check_version,
    items,
)
from identity.rules.applicants import broken_rights, changed_fields
from identity.store import applicants, email_changes
from identity.store.users import User

routes = Routes(tag="applicants")

IN_TOKENS = frozenset(
    {"enabled", "name", "department", "title", "entry", "contract_data", "rider_codes", "application_data"}
)
"""What access tokens say about a user; when it changes, those that are out must be refused (L9, H3)."""


class Changed(View):
    """Webユーザー(申込者)情報変更完了 (R162)."""

    changed: list[str]
    in_force_from: datetime | None = Field(description="null: in force everywhere now")
    message: str
    applicant: Applicant


@routes.post("/applicants/{user_id}/validation", needs=Permission.ADMINISTER, raises=[NotFound, StaleVersion])
async def validate_applicant_change(
    user_id: fields.WebUserId, body: ApplicantChange, caller: Caller, tx: Tx
) -> Confirmation:
    """確認する for a change: all values, and which of them are new (R161). Nothing is stored."""
    user = await _editable(tx, user_id, body, caller)
    before, after = _values(user), _wished(body)
    changed = changed_fields(before, after)
    return Confirmation(
        items=items({"user_id": user_id, **after}, before),
        changed=list(changed),
        warnings=address_hints(body.email) if "email" in changed else [],
    )


@routes.put("/applicants/{user_id}", needs=Permission.ADMINISTER, raises=[NotFound, StaleVersion])
async def change_applicant(
    user_id: fields.WebUserId,
    body: ApplicantChange,
    caller: Caller,
    request: web.Request,
    revocations: Revocations,
    database: Database,
) -> Changed:
    """確定する for a change: in force everywhere when this answers (L9); of two editors the later one gets 412."""
    in_force_from = None
    async with database.transaction() as tx:
        user = await _editable(tx, user_id, body, caller)
        changed = changed_fields(_values(user), _wished(body))
        event_id = await _apply(tx, user, body, changed) if changed else None
        if changed:
            tx.emit(
                ApplicantChanged(
                    operator=caller.operator,
                    session_id=caller.session_id,
                    source_address=source_of(request),
                    about_user_id=user_id,
                    changed=changed,
                )
            )
    if event_id is not None:
        in_force_from = await revocations.in_force(event_id)
    return Changed(
        changed=list(changed),
        in_force_from=in_force_from,
        message="Webユーザー(申込者)の情報を変更しました。" if changed else "変更された項目はありません。",
        applicant=await shown(database, user.policyholder_code, user_id),
    )


async def _apply(tx: Tx, user: User, body: ApplicantChange, changed: tuple[str, ...]) -> UUID | None:
    """Write the change; answers the revocation to wait for, if tokens said something else."""
    wished = body.model_dump(include={"enabled", "email", "name", "phone", "department", "title"})
    now = await applicants.change(tx, user.user_id, **wished, rights=body.rights())
    if {"enabled", "email", "name"} & set(changed):
        addresses.announce(tx, now)
    if "email" in changed:
        await email_changes.note_working(tx, user.user_id)
    if user.enabled and not body.enabled:
        _, event_id = await access.end_all(tx, user.policyholder_code, user.user_id, "disabled")
        return event_id
    if IN_TOKENS & set(changed):
        return await access.revoke_user(tx, user.policyholder_code, user.user_id)
    return None


async def _editable(tx: Tx, user_id: str, body: ApplicantChange, caller: Caller) -> User:
    """The applicant, held, if the editor saw the present version and the wished rights can be given."""
    company = caller.operator.policyholder_code
    user = await applicants.take(tx, company, user_id)
    if user is None:
        raise NotFound
    check_version(body.version, user.version)
    check_rules(broken_rights(body.rights(), await facts(tx, company), user.rights))
    return user


def _values(user: User) -> dict[str, Any]:
    return {
        **user.model_dump(include={"enabled", "email", "name", "phone", "department", "title"}),
        **asdict(user.rights),
    }


def _wished(body: ApplicantChange) -> dict[str, Any]:
    return body.model_dump(exclude={"version"})
