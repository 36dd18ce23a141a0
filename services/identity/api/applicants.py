"""Applicants as their administrator finds and registers them: list, detail, registration (R125 to R145)."""

from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import Answer, Body, Header, NotFound, Routes, View, source_of
from chassis.sql import Database, Tx
from chassis.text import widen
from contracts import fields
from contracts.caller import Caller
from contracts.permissions import Permission
from identity.api.applicant_views import Applicant, facts, show, shown
from identity.api.forms import ApplicantForm, Confirmation, address_hints, check_rules, items
from identity.api.registrations import KeyUsedOtherwise, NoIdLeft, Registrar, remember, repeated
from identity.credentials import NoSealingKey
from identity.rules.applicants import broken_rights
from identity.rules.email_addresses import masked
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import applicants, users

routes = Routes(tag="applicants")


class Wish(Body):
    """What of the list is wanted."""

    search: str = Field("", max_length=100, description="part of ID, name, e-mail address or department")
    state: Literal["enabled", "disabled"] | None = None
    sort: applicants.Sort = applicants.Sort.USER_ID
    order: Literal["asc", "desc"] = "asc"
    page: int = Field(1, ge=1, le=999)
    page_size: int = Field(50, ge=1, le=999)


class Page(View):
    """A page of the list (R143)."""

    items: list[Applicant]
    total: int = Field(description="on all pages")
    page: int
    pages: int


class Registered(View):
    """Webユーザー(申込者)登録完了 (R142)."""

    user_id: str
    password_sent_to: str = Field(description="the administrator's address, masked")
    message: str
    applicant: Applicant


@routes.get("/applicants", needs=Permission.ADMINISTER)
async def list_applicants(query: Wish, caller: Caller, database: Database) -> Page:
    """The company's applicants, also disabled ones."""
    company = caller.operator.policyholder_code
    narrow = query.search.strip()
    rows, total = await applicants.listed(
        database,
        company,
        applicants.Wanted(
            narrow=narrow,
            wide=widen(narrow),
            enabled=None if query.state is None else query.state == "enabled",
            sort=query.sort,
            descending=query.order == "desc",
            offset=(query.page - 1) * query.page_size,
            limit=query.page_size,
        ),
    )
    codes = (await facts(database, company)).usable_codes
    pages = max(1, -(-total // query.page_size))
    return Page(items=[show(row, codes) for row in rows], total=total, page=query.page, pages=pages)


@routes.get("/applicants/{user_id}", needs=Permission.ADMINISTER, raises=[NotFound])
async def show_applicant(user_id: fields.WebUserId, caller: Caller, database: Database) -> Applicant:
    """One applicant of the own company; anybody else is not found."""
    return await shown(database, caller.operator.policyholder_code, user_id)


@routes.post("/applicants/validation", needs=Permission.ADMINISTER)
async def validate_applicant(body: ApplicantForm, caller: Caller, database: Database) -> Confirmation:
    """確認する for a new applicant: what would be registered (R137, R139). Nothing is stored."""
    company = caller.operator.policyholder_code
    check_rules(broken_rights(body.rights(), await facts(database, company)))
    return Confirmation(items=items(body.model_dump()), changed=[], warnings=address_hints(body.email))


@routes.post(
    "/applicants", needs=Permission.ADMINISTER, status=(201, 200), raises=[NoIdLeft, KeyUsedOtherwise, NoSealingKey]
)
async def register_applicant(
    body: ApplicantForm,
    caller: Caller,
    request: web.Request,
    secrets: Secrets,
    settings: IdentitySettings,
    tx: Tx,
    key: Annotated[UUID | None, Header("Idempotency-Key")] = None,
) -> Answer[Registered]:
    """確定する for a new applicant: allots the ID and mails the first password to the administrator (R140).

    With an Idempotency-Key a repeated request registers nobody twice; it is answered with 200.
    """
    company = caller.operator.policyholder_code
    user_ids = await repeated(tx, company, key, body)
    status = 201 if user_ids is None else 200
    if user_ids is None:
        check_rules(broken_rights(body.rights(), await facts(tx, company)))
        registrar = Registrar(caller, source_of(request), secrets, settings)
        user_ids = await registrar.register(tx, [body])
        await remember(tx, company, key, body, user_ids)
    administrator = await users.administrator(tx, company)
    assert administrator is not None
    registered = Registered(
        user_id=user_ids[0],
        password_sent_to=masked(administrator.email),
        message="Webユーザー(申込者)情報を登録しました。初期パスワードをメールで送信しましたので、メールをご確認ください。",
        applicant=await shown(tx, company, user_ids[0]),
    )
    return Answer(registered, status=status)
