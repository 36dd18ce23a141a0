"""The administrator's view of the mails that went to the company: when, to whom, with what end; never their words."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from chassis.http import Body, Routes, View
from chassis.sql import Database
from contracts import fields
from contracts.caller import Caller
from contracts.permissions import Permission
from notifier.mails.catalogue import subject_of
from notifier.rules.states import State
from notifier.store import mails

routes = Routes(tag="company")


class CompanyMail(View):
    """One mail."""

    place: int = Field(description="pass the last one as `before` for the next page")
    id: UUID
    subject: str = Field(description="what kind of mail it is")
    about_user_id: str
    application_number: str | None
    recipient: str
    state: State
    asked_at: AwareDatetime
    accepted_at: AwareDatetime | None


class CompanyMails(View):
    """The company's mails, newest first."""

    mails: list[CompanyMail]


class Wanted(Body):
    """Everything given must fit."""

    number: fields.WebApplicationNumber | None = None
    user_id: fields.WebUserId | None = None
    before: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@routes.get("/company/mails", needs=Permission.ADMINISTER)
async def list_company_mails(query: Wanted, caller: Caller, database: Database) -> CompanyMails:
    """Of the administrator's own policyholder alone (law 5)."""
    rows = await mails.search(database, policyholder_code=caller.operator.policyholder_code, **query.model_dump())
    return CompanyMails(mails=[CompanyMail(**row, subject=subject_of(row["template"])) for row in rows])
