"""Mails for operators: find them, see their fate, send them again. A secret is never shown."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from chassis.http import Body, NotFound, Problem, Routes, View
from chassis.messages import Moment
from chassis.sql import Database, Tx
from contracts import fields
from contracts.caller import Caller
from contracts.permissions import Permission
from notifier import deeds
from notifier.rules.deadlines import RESEND_LIFE
from notifier.rules.states import State
from notifier.store import mails, operations

routes = Routes(tag="mails")


class CannotBeResent(Problem):
    """The mail is on its way, superseded, for somebody who is disabled, or its secret has lapsed."""

    status = 409
    detail = (
        "送信中のメール、新しいメールに置き換えられたメール、有効期限を過ぎたパスワード等のメール、"
        "無効になっているユーザーへのメールは、再送できません。"
    )


class Line(View):
    """A mail in a list, without its words and its secret."""

    place: int = Field(description="pass the last one as `before` for the next page")
    id: UUID
    template: str
    policyholder_code: str
    about_user_id: str
    application_number: str | None
    recipient: str
    state: State
    reason: str
    attempts: int
    asked_at: AwareDatetime
    not_after: AwareDatetime
    received_at: AwareDatetime
    changed_at: AwareDatetime
    accepted_at: AwareDatetime | None


class Operation(View):
    """What an operator did with a mail."""

    operator: str
    what: str
    at: AwareDatetime


class Mail(Line):
    """A mail with its facts. `sealed`: it carries a secret that can still be sent."""

    facts: dict[str, str]
    sealed: bool
    unknown_ends: int
    resent: int
    operations: list[Operation]


class Lines(View):
    """Mails, newest first."""

    mails: list[Line]


class Search(Body):
    """Everything given must fit."""

    number: fields.WebApplicationNumber | None = None
    user_id: Annotated[str, Field(max_length=64)] | None = None
    policyholder_code: fields.PolicyholderCode | None = None
    state: State | None = None
    since: Moment | None = Field(None, description="asked for at or after")
    until: Moment | None = Field(None, description="asked for before")
    before: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class Period(Body):
    """A period; the last day when nothing is given."""

    since: Moment | None = None
    until: Moment | None = None


class Count(View):
    """How many mails of a template are in a state, and the median time from the wish to the relay's acceptance."""

    template: str
    state: State
    mails: int
    median_seconds: float | None


class Statistics(View):
    """The mails asked for in a period, and what is under way now."""

    since: AwareDatetime
    until: AwareDatetime
    counts: list[Count]
    oldest_waiting_seconds: float


@routes.get("/mails", needs=Permission.OPERATE)
async def search_mails(query: Search, database: Database) -> Lines:
    """Mails by application number, user, policyholder, state and period. Nobody knows the fate of `unknown`."""
    rows = await mails.search(database, **query.model_dump())
    return Lines(mails=[Line(**row) for row in rows])


@routes.get("/mails/statistics", needs=Permission.OPERATE)
async def count_mails(query: Period, database: Database) -> Statistics:
    """How many mails of each kind came to which end."""
    until = query.until or datetime.now(UTC)
    since = query.since or until - timedelta(days=1)
    rows = await mails.statistics(database, since, until)
    waiting = await mails.waiting(database)
    counts = [Count(**row) for row in rows]
    return Statistics(since=since, until=until, counts=counts, oldest_waiting_seconds=waiting["oldest"])


@routes.get("/mails/{mail_id}", needs=Permission.OPERATE, raises=[NotFound])
async def show_mail(mail_id: UUID, database: Database) -> Mail:
    """One mail and what operators did with it."""
    row = await mails.one(database, mail_id)
    if row is None:
        raise NotFound
    done = await operations.recorded(database, str(mail_id))
    facts = {name: str(value) for name, value in row["facts"].items()}
    return Mail(**{**row, "facts": facts}, operations=[Operation(**one) for one in done])


@routes.post("/mails/{mail_id}/resend", needs=Permission.OPERATE, raises=[NotFound, CannotBeResent])
async def resend_mail(mail_id: UUID, caller: Caller, tx: Tx) -> None:
    """Send a mail once more that has come to an end, to the same address; recorded."""
    if not await mails.resend(tx, mail_id, datetime.now(UTC) + RESEND_LIFE):
        raise CannotBeResent if await mails.one(tx, mail_id) else NotFound
    await deeds.record(tx, caller.operator, "resend", str(mail_id), **await mails.concerned(tx, mail_id))
