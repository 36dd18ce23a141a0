"""Where administrators are reached, and the mails about their applications; one queue, so that news come in order."""

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID, uuid5

from chassis.amqp import Listeners, Park, wake
from chassis.messages import Received
from chassis.sql import Tx
from contracts.applications import (
    AccountProcedure,
    AccountProcedureSubmitted,
    ApplicationCompleted,
    ApplicationRejected,
    ApplicationSubmitted,
)
from contracts.identity import AddressChanged
from contracts.permissions import Role
from notifier.mails.catalogue import CATALOGUE
from notifier.mails.facts import AccountTouched, Completed, Facts, Rejected, Submitted
from notifier.mails.names import OwnTemplate
from notifier.rules.deadlines import OWN_MAIL_LIFE
from notifier.sending.records import say_failing, say_failure
from notifier.settings import Settings
from notifier.store import addresses, mails
from notifier.store.mails import NewMail

listeners = Listeners("applications")

ACCOUNTS = get_args(AccountProcedure)


@listeners.on(AddressChanged)
async def learn_address(message: AddressChanged, received: Received[AddressChanged], tx: Tx) -> None:
    """Remember it, and redirect what waits for an administrator and would have gone elsewhere."""
    before = await addresses.present(tx, message.user_id)
    if not await addresses.learn(tx, message, received.time):
        return
    now = await addresses.present(tx, message.user_id)
    if now is not None and now != before:
        failing = await addresses.is_failing(tx, now)
        if failing or (before is not None and await addresses.is_failing(tx, before)):
            user = {"policyholder_code": message.policyholder_code, "user_id": message.user_id}
            say_failing(tx, [user], failing=failing)
    if message.role is Role.ADMINISTRATOR:
        await addresses.correct_unsent(tx, message.policyholder_code)
        await wake(tx, _key(message.policyholder_code))


@listeners.on(ApplicationSubmitted, AccountProcedureSubmitted)
async def confirm_receipt(
    message: ApplicationSubmitted, received: Received[ApplicationSubmitted], tx: Tx, settings: Settings
) -> None:
    """申込受付 to the administrator's address at the moment of submission (R200, R201, P5)."""
    facts = Submitted(
        number=message.number, procedure_label=message.procedure_label, submitted_at=message.submitted_at,
        applicant=message.operator.name or message.operator.user_id,
    )  # fmt: skip
    about = message.operator.user_id
    mail = (received.id, OwnTemplate.APPLICATION_RECEIVED, message.operator.policyholder_code, about)
    await _to_administrator(tx, *mail, message.submitted_at, facts, settings)


@listeners.on(ApplicationCompleted)
async def tell_completion(
    message: ApplicationCompleted, received: Received[ApplicationCompleted], tx: Tx, settings: Settings
) -> None:
    """手続完了 to the administrator's address at the moment of completion (R202, P5); accounts: a warning too (P7)."""
    facts = Completed(
        number=message.number, procedure_label=message.procedure_label, completed_at=message.completed_at,
        effective_date=message.effective_date,
    )  # fmt: skip
    about, code, at = message.applicant_user_id, message.policyholder_code, message.completed_at
    await _to_administrator(tx, received.id, OwnTemplate.APPLICATION_COMPLETED, code, about, at, facts, settings)
    if message.procedure in ACCOUNTS:
        touched = AccountTouched(
            number=message.number, procedure_label=message.procedure_label, completed_at=at, applicant_user_id=about
        )
        second = uuid5(received.id, OwnTemplate.ACCOUNT_SECURITY)
        await _to_administrator(tx, second, OwnTemplate.ACCOUNT_SECURITY, code, about, at, touched, settings)


@listeners.on(ApplicationRejected)
async def tell_rejection(
    message: ApplicationRejected, received: Received[ApplicationRejected], tx: Tx, settings: Settings
) -> None:
    """To the administrator's address at the moment of the rejection."""
    facts = Rejected(
        number=message.number, procedure_label=message.procedure_label, rejected_at=message.rejected_at,
        reason=message.reason,
    )  # fmt: skip
    mail = (received.id, OwnTemplate.APPLICATION_REJECTED, message.policyholder_code, message.applicant_user_id)
    await _to_administrator(tx, *mail, message.rejected_at, facts, settings)


async def _to_administrator(
    tx: Tx,
    mail_id: UUID,
    template: OwnTemplate,
    policyholder_code: str,
    about_user_id: str,
    at: datetime,
    facts: Facts,
    settings: Settings,
) -> None:
    """Write the mail down for the address that was valid `at`; it waits a moment for news that are late."""
    reached = await addresses.administrator(tx, policyholder_code, at)
    if reached is None:
        raise Park("the administrator's address is not known yet", retry=True, key=_key(policyholder_code))
    now = datetime.now(UTC)
    said = facts.model_dump(mode="json", exclude_none=True)
    mail = NewMail(
        id=mail_id,
        template=template,
        policyholder_code=policyholder_code,
        about_user_id=about_user_id,
        recipient=reached["address"],
        facts=said,
        urgency=CATALOGUE[template].urgency,
        asked_at=at,
        not_after=max(now, at) + OWN_MAIL_LIFE,
        application_number=said["number"],
        due_at=now + settings.address_patience,
    )
    refused = "" if reached["enabled"] else "the administrator is disabled"
    if await mails.add(tx, mail, refused) == "failed":
        say_failure(tx, await mails.one(tx, mail_id))


def _key(policyholder_code: str) -> str:
    return f"administrator:{policyholder_code}"
