"""申込む: a confirmed application is handed to those who carry it out (R46, R47, R191 to R200, P7)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from applications.api import step_up
from applications.api.contents import checked, facts_of
from applications.api.drafts import handled, who
from applications.api.once import Key, once
from applications.api.refusals import KeyReused, ProfileUnknown, StaleVersion, TooManyKeys, WrongState, not_moved
from applications.api.views import ApplicationView, present
from applications.rules.lifecycle import State, Step, already_taken
from applications.rules.procedures import PROCEDURES, Carrier
from applications.settings import Clock, Settings
from applications.store import applications, documents, transitions
from applications.store.outcomes import Outcomes, finished
from applications.store.profiles import in_force
from applications.store.rows import Application
from chassis.amqp import wake
from chassis.http import Answer, Body, Invalid, Routes, StepUpRequired
from chassis.sql import Database, Tx
from contracts.applications import AccountProcedureSubmitted, ApplicationSubmitted, AttachedDocument
from contracts.caller import Caller
from contracts.fields import WebApplicationNumber
from contracts.permissions import Permission

routes = Routes(tag="submissions")

SENT_TO_NEXI = "申込情報は日本貿易保険に送信されました。お問い合わせの際には、Web申込番号をお伝えください。"
REFLECTED = "お申込手続きおよび口座情報への反映を完了しました。"
IN_PROGRESS = (
    "お申込みを受け付けました。口座情報への反映を行っています。Web申込状況一覧から手続きの状況をご確認ください。"
)
REFUSED = "お申込みの内容を口座情報へ反映できませんでした。"


class Submission(Body):
    """申込む for the version that the confirmation screen showed."""

    version: int = Field(ge=1, le=2_000_000_000)
    acknowledged: bool = Field(False, description="the check box of a change or deletion of an account is ticked")


@routes.post(
    "/applications/{number}/submission", needs=Permission.APPLY, step_up=False, status=(200, 202),
    raises=[StaleVersion, WrongState, KeyReused, ProfileUnknown, StepUpRequired, TooManyKeys],
)  # fmt: skip
async def submit(
    number: WebApplicationNumber, body: Submission, caller: Caller, database: Database, clock: Clock,
    outcomes: Outcomes, settings: Settings, key: Key = None,
) -> Answer[ApplicationView]:  # fmt: skip
    """Submit a confirmed application; repeating it changes nothing.

    Account procedures are carried out within this request; when that takes too long the answer is 202, and the
    application completes by itself.
    """
    await step_up.demand(database, caller, number, clock.now())
    async with outcomes.expecting(number) as woken:
        async with database.transaction() as tx:
            view = await once(
                tx, caller, settings, key, f"submit {number}", body, lambda: _submit(tx, number, body, caller, clock)
            )
        if PROCEDURES[view.procedure].carrier is Carrier.NEXI:
            return _answer(view, SENT_TO_NEXI, 200)
        if view.state is State.SUBMITTED:
            await finished(database, number, woken, settings.answer_seconds)
    now_stands = await applications.submitted(database, number)
    assert now_stands is not None
    view = await present(database, now_stands, caller)
    said = {State.COMPLETED: REFLECTED, State.REJECTED: view.reason or REFUSED}.get(view.state, IN_PROGRESS)
    return _answer(view, said, 202 if view.state is State.SUBMITTED else 200)


def _answer(view: ApplicationView, message: str, status: int) -> Answer[ApplicationView]:
    """The completion screen: everything applied for, with number and Web申込日時 (R191, R195)."""
    return Answer(view.model_copy(update={"message": message}), status)


async def _submit(tx: Tx, number: str, body: Submission, caller: Caller, clock: Clock) -> ApplicationView:
    now = clock.now()
    found = await handled(tx, caller, number, now)
    if found.state is State.DRAFT and found.version == body.version:
        await _check(tx, found, body, clock)
        before = await _in_force(tx, found)
        done = await transitions.submit(tx, number, body.version, before, who(caller), now)
        if done is not None:
            await _say_submitted(tx, done, caller, now)
            await wake(tx, number)  # what NEXI said too early can be true now (P6)
            return await present(tx, done, caller)
        found = await handled(tx, caller, number, now)
    if already_taken(Step.SUBMIT, found.state) and found.version == body.version:
        return await present(tx, found, caller)
    raise not_moved(found, body.version)


async def _check(tx: Tx, found: Application, body: Submission, clock: Clock) -> None:
    """Once more: since it was saved, the wished date may have passed and the profile may have changed."""
    kind = found.kind
    checked(kind, found.content, await facts_of(tx, kind, found.policyholder_code, clock), "content")
    if kind.acknowledgement and not body.acknowledged:
        message = f"「{kind.acknowledgement}」にチェックを入れてください。"
        raise Invalid.field("body.acknowledged", "required", message)


async def _in_force(tx: Tx, found: Application) -> dict[str, Any] | None:
    """What the wish is compared with later, when it is not in force any more."""
    if found.kind.wish is None:
        return None
    if "account_id" in found.content:
        account_id = UUID(found.content["account_id"])
        return await applications.account_as_applied_for(tx, found.policyholder_code, account_id)
    return await in_force(tx, found.policyholder_code) if found.kind.carrier is Carrier.NEXI else {}


async def _say_submitted(tx: Tx, done: Application, caller: Caller, now: datetime) -> None:
    attached = await documents.attached(tx, done.number) if done.kind.attachments else []
    said = ApplicationSubmitted if done.kind.carrier is Carrier.NEXI else AccountProcedureSubmitted
    tx.emit(
        said(
            operator=caller.operator,
            operation=done.kind.application,
            session_id=caller.session_id,
            number=done.number,
            procedure=done.procedure,
            procedure_label=done.kind.label,
            submitted_at=now,
            content=done.content,
            attachments=tuple(
                AttachedDocument(id=one["id"], title=one["title"], size=one["size"], sha256=one["sha256"].hex())
                for one in attached
            ),
        )
    )
