"""What applications says: account procedures to carry out, and completed changes of the profile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from pydantic import ValidationError

from accounts.listeners.profiles import apply_change, unknown_policyholder
from accounts.rules.bank_accounts import SENTENCES, WISHES, Refusal, Wish, refusal
from accounts.rules.days import japan_day
from accounts.rules.profiles import Change, due_at
from accounts.store import bank_accounts, procedures, profiles
from chassis.amqp import Listeners, Park
from chassis.messages import explain
from chassis.sql import Tx
from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused
from contracts.applications import (
    AccountChange,
    AccountProcedureSubmitted,
    AccountRegistration,
    ApplicationCompleted,
    PolicyholderWish,
    Procedure,
)

log = structlog.get_logger()

applications = Listeners("applications")


@applications.on(AccountProcedureSubmitted)
async def carry_out(message: AccountProcedureSubmitted, tx: Tx) -> None:
    """Register, change or delete an account, or refuse; the answer is said in the same transaction (P7).

    A procedure that was decided before gets the same answer again and changes nothing.
    """
    number, code = message.number, message.operator.policyholder_code
    if not code:
        raise Park("the operator belongs to no policyholder")
    await bank_accounts.hold(tx, code)
    if earlier := await procedures.answer(tx, number):
        _answer(
            tx, number, earlier["policyholder_code"], earlier["account_id"], earlier["reason"], earlier["decided_at"]
        )
        return
    now = datetime.now(UTC)
    wish = _read(message)
    refused = Refusal.UNREADABLE if wish is None else refusal(wish, await bank_accounts.standing(tx, code, wish))
    if wish is None or refused is not None:
        reason = SENTENCES[refused or Refusal.UNREADABLE]
        await procedures.record_refused(tx, number, code, message.procedure, reason, now)
        _answer(tx, number, code, None, reason, now)
        return
    account_id, version = await _do(tx, code, wish, now)
    await procedures.record_applied(tx, number, code, message.procedure, account_id, version, now)
    _answer(tx, number, code, account_id, None, now)


def _read(message: AccountProcedureSubmitted) -> Wish | None:
    try:
        return WISHES[message.procedure].model_validate(message.content, extra="ignore")
    except ValidationError as error:
        log.error("wish_unreadable", number=message.number, procedure=message.procedure, reason=explain(error))
        return None


async def _do(tx: Tx, code: str, wish: Wish, now: datetime) -> tuple[UUID, int]:
    if isinstance(wish, AccountRegistration):
        return await bank_accounts.add(tx, code, wish, japan_day(now))
    if isinstance(wish, AccountChange):
        return await bank_accounts.replace(tx, wish, japan_day(now))
    return await bank_accounts.delete(tx, wish.account_id, wish.account_version, now)


def _answer(tx: Tx, number: str, code: str, account_id: UUID | None, reason: str | None, decided_at: datetime) -> None:
    if account_id is not None:
        tx.emit(
            AccountProcedureApplied(number=number, policyholder_code=code, account_id=account_id, applied_at=decided_at)
        )
    else:
        tx.emit(AccountProcedureRefused(number=number, policyholder_code=code, reason=reason or ""))


@applications.on(ApplicationCompleted)
async def take_change(message: ApplicationCompleted, tx: Tx) -> None:
    """Remember a completed change of the profile, and apply it if its day has come (P6)."""
    if message.procedure != Procedure.POLICYHOLDER_CHANGE:
        return
    try:
        wish = PolicyholderWish.model_validate(message.content, extra="ignore")
    except ValidationError as error:
        raise Park(f"content: {explain(error)}") from None
    code, number = message.policyholder_code, message.number
    held = await profiles.hold(tx, code)
    if held is None:
        raise Park("the policyholder is not registered yet", retry=True, key=unknown_policyholder(code))
    effective = message.effective_date or wish.wished_date
    due = due_at(effective, message.completed_at)
    if held.stated_at > datetime.now(UTC):  # NEXI's clock is ahead; before that moment the change would be lost
        due = max(due, held.stated_at + timedelta.resolution)
    change = Change(number, due, wish)
    added = await profiles.add_change(tx, code, change, effective_date=effective, completed_at=message.completed_at)
    if added and await profiles.is_due(tx, number):
        await apply_change(tx, code, number)
