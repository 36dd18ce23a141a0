"""Drafts: first arrival at the confirmation screen, correction, withdrawal (R41 to R49, R186 to R189)."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from applications.api import step_up
from applications.api.contents import checked, facts_of
from applications.api.once import Key, answered, once
from applications.api.refusals import (
    KeyReused,
    ProfileUnknown,
    StaleVersion,
    TooManyApplications,
    TooManyKeys,
    WrongState,
    not_moved,
)
from applications.api.views import ApplicationView, present
from applications.rules.contents import names
from applications.rules.lifecycle import Step, already_taken
from applications.rules.procedures import PROCEDURES
from applications.rules.scopes import may_handle, scope_of
from applications.rules.times import japan_day, web_application_number
from applications.settings import Clock, Settings
from applications.store import applications, numbers, transitions
from applications.store.rows import Application
from applications.store.transitions import Who
from chassis.http import Body, Forbidden, Invalid, NotFound, Routes, StepUpRequired
from chassis.sql import Database, Tx
from contracts.applications import DraftSaved, DraftWithdrawn
from contracts.caller import Caller
from contracts.fields import WebApplicationNumber
from contracts.permissions import Permission

routes = Routes(tag="drafts")

BODY_LIMIT = 640 * 1024
"""A content of 256 KiB may be written with blanks and escapes."""

CONFIRM = "confirm"


class Confirmation(Body):
    """What was entered, for the first time at the confirmation screen."""

    procedure: Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(PROCEDURES)})]
    content: dict[str, Any]


class Correction(Body):
    """What was entered anew, and the version it started from."""

    version: int = Field(ge=1, le=2_000_000_000)
    content: dict[str, Any]


class Withdrawal(Body):
    """The version that is given up."""

    version: int = Field(ge=1, le=2_000_000_000)


@routes.post(
    "/applications", needs=Permission.ENTER, step_up=False, status=201, body_limit=BODY_LIMIT,
    raises=[KeyReused, ProfileUnknown, StepUpRequired, TooManyApplications, TooManyKeys],
)  # fmt: skip
async def confirm(
    body: Confirmation, caller: Caller, database: Database, clock: Clock, settings: Settings, key: Key = None
) -> ApplicationView:
    """Arrive at the confirmation screen: allot the Web application number and save (R48, R186, W7)."""
    kind = PROCEDURES.get(body.procedure)
    step_up.demand_for(caller, kind)
    if kind is None:
        raise Invalid.field("body.procedure", "unknown", "この手続きはありません。")
    if not may_handle(caller, kind):
        raise Forbidden
    if (answer := await answered(database, caller, key, CONFIRM, body)) is not None:
        return answer
    now, code = clock.now(), caller.operator.policyholder_code
    content = checked(kind, body.content, await facts_of(database, kind, code, clock), "body.content")
    day = japan_day(now)
    serial = await numbers.allot(database, day, code, settings.most_numbers_a_day)
    if serial is None:
        raise TooManyApplications

    async def save() -> ApplicationView:
        saved = await transitions.confirm(
            tx, number=web_application_number(day, serial), day=day, serial=serial, policyholder_code=code,
            procedure=body.procedure, content=content, names=names(content), session_id=caller.session_id,
            who=who(caller), at=now,
        )  # fmt: skip
        return await say_saved(tx, saved, caller)

    async with database.transaction() as tx:
        return await once(tx, caller, settings, key, CONFIRM, body, save)


@routes.put(
    "/applications/{number}", needs=Permission.ENTER, step_up=False, body_limit=BODY_LIMIT,
    raises=[StaleVersion, WrongState, KeyReused, ProfileUnknown, StepUpRequired, TooManyKeys],
)  # fmt: skip
async def correct(
    number: WebApplicationNumber, body: Correction, caller: Caller, tx: Tx, clock: Clock, settings: Settings,
    key: Key = None,
) -> ApplicationView:  # fmt: skip
    """修正する, or resume from the list: save under the same number (R49, R189, W7)."""
    await step_up.demand(tx, caller, number, clock.now())

    async def save() -> ApplicationView:
        now = clock.now()
        found = await handled(tx, caller, number, now)
        facts = await facts_of(tx, found.kind, found.policyholder_code, clock)
        content = checked(found.kind, body.content, facts, "body.content")
        saved = await transitions.correct(tx, number, body.version, content, names(content), who(caller), now)
        if saved is None:
            raise not_moved(await handled(tx, caller, number, now), body.version)
        return await say_saved(tx, saved, caller)

    return await once(tx, caller, settings, key, f"correct {number}", body, save)


@routes.post(
    "/applications/{number}/withdrawal", needs=Permission.ENTER, step_up=False,
    raises=[StaleVersion, WrongState, KeyReused, StepUpRequired, TooManyKeys],
)  # fmt: skip
async def withdraw(
    number: WebApplicationNumber, body: Withdrawal, caller: Caller, tx: Tx, clock: Clock, settings: Settings,
    key: Key = None,
) -> ApplicationView:  # fmt: skip
    """Give a draft up; its number is never used again. Repeating it changes nothing (P1)."""
    await step_up.demand(tx, caller, number, clock.now())

    async def give_up() -> ApplicationView:
        now = clock.now()
        await handled(tx, caller, number, now)
        done = await transitions.withdraw(tx, number, body.version, who(caller), now)
        if done is None:
            found = await handled(tx, caller, number, now)
            if already_taken(Step.WITHDRAW, found.state) and found.version == body.version:
                return await present(tx, found, caller)
            raise not_moved(found, body.version)
        tx.emit(
            DraftWithdrawn(
                operator=caller.operator,
                session_id=caller.session_id,
                number=number,
                procedure=done.procedure,
                procedure_label=done.kind.label,
            )
        )
        return await present(tx, done, caller)

    return await once(tx, caller, settings, key, f"withdraw {number}", body, give_up)


async def handled(tx: Tx, caller: Caller, number: str, now: datetime) -> Application:
    """The application, for somebody who wants to do something with it. Raises NotFound unless it is visible to the
    caller, Forbidden unless the procedure is the caller's to handle."""
    found = await applications.visible(tx, scope_of(caller), number, now)
    if found is None or found.policyholder_code != caller.operator.policyholder_code:
        raise NotFound
    if not may_handle(caller, found.kind):
        raise Forbidden
    return found


def who(caller: Caller) -> Who:
    """The caller, for the time-line."""
    return Who(caller.operator.user_id, caller.operator.name)


async def say_saved(tx: Tx, saved: Application, caller: Caller) -> ApplicationView:
    """Record that the draft has a new version; answers it as the caller sees it."""
    tx.emit(
        DraftSaved(
            operator=caller.operator,
            operation=saved.kind.entry,
            session_id=caller.session_id,
            number=saved.number,
            procedure=saved.procedure,
            procedure_label=saved.kind.label,
            version=saved.version,
        )
    )
    return await present(tx, saved, caller)
