"""What becomes of a submitted application, whoever says it: one use case behind two ears and one door."""

import base64
import binascii
import hashlib
from datetime import date, datetime
from uuid import UUID

from applications.rules.documents import PIECE_BYTES, looks_like_pdf
from applications.rules.outcomes import Word, day_of_effect, judge
from applications.rules.procedures import Carrier
from applications.store import applications, documents, outcomes, transitions
from applications.store.rows import Application
from applications.store.transitions import Who
from chassis.amqp import Park
from chassis.sql import Tx
from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused
from contracts.applications import ApplicationCompleted, ApplicationRejected, Procedure
from contracts.nexi import Document, ProcedureCompleted, ProcedureRejected

NEXI = Who("nexi", "日本貿易保険")
ACCOUNTS = Who("accounts", "口座情報への反映")


async def complete_by_nexi(tx: Tx, said: ProcedureCompleted, now: datetime) -> None:
    """NEXI's checks are complete (R53, P6). Raises Park with the reason when that cannot be acted upon now."""
    found = await _judged(tx, said.number, Word(Carrier.NEXI, said.issued_at, said.effective_date))
    notice_id = await _keep_notice(tx, said.document) if said.document else None
    effective = said.effective_date
    if found.procedure == Procedure.POLICYHOLDER_CHANGE:
        wished = date.fromisoformat(found.content["wished_date"])
        effective = day_of_effect(said.effective_date, wished, now)
    done = await transitions.complete(tx, said.number, NEXI, now, effective_date=effective, notice_id=notice_id)
    _say_completed(tx, done)


async def reject_by_nexi(tx: Tx, said: ProcedureRejected, now: datetime) -> None:
    """NEXI refused. Raises Park with the reason when that cannot be acted upon now."""
    await _judged(tx, said.number, Word(Carrier.NEXI, said.issued_at, reason=said.reason))
    _say_rejected(tx, await transitions.reject(tx, said.number, said.reason, NEXI, now))


async def complete_by_accounts(tx: Tx, said: AccountProcedureApplied, now: datetime) -> None:
    """The account was registered, changed or deleted (R231, R237)."""
    word = Word(Carrier.ACCOUNTS, now, policyholder_code=said.policyholder_code)
    await _judged(tx, said.number, word)
    done = await transitions.complete(tx, said.number, ACCOUNTS, now, account_id=said.account_id)
    _say_completed(tx, done)
    await outcomes.announce(tx, said.number)


async def reject_by_accounts(tx: Tx, said: AccountProcedureRefused, now: datetime) -> None:
    """The accounts service had the last word on master, duplicates, ownership or version, and refused."""
    word = Word(Carrier.ACCOUNTS, now, reason=said.reason, policyholder_code=said.policyholder_code)
    await _judged(tx, said.number, word)
    _say_rejected(tx, await transitions.reject(tx, said.number, said.reason, ACCOUNTS, now))
    await outcomes.announce(tx, said.number)


async def _judged(tx: Tx, number: str, word: Word) -> Application:
    found = await applications.held(tx, number)
    verdict = judge(word, found.standing if found else None)
    if verdict is not None:
        raise Park(verdict.reason, key=number if verdict.early else None)
    assert found is not None
    return found


async def _keep_notice(tx: Tx, document: Document) -> UUID:
    try:
        pdf = base64.b64decode(document.pdf, validate=True)
    except (binascii.Error, ValueError):
        raise Park("contradictory: the notice document is not base64") from None
    if not looks_like_pdf(pdf[:16], pdf[-1024:]):
        raise Park("contradictory: the notice document is not a PDF")
    document_id = await documents.begin(tx, document.title)
    for place, start in enumerate(range(0, len(pdf), PIECE_BYTES)):
        await documents.add_piece(tx, document_id, place, pdf[start : start + PIECE_BYTES])
    await documents.seal(tx, document_id, len(pdf), hashlib.sha256(pdf).digest())
    return document_id


def _say_completed(tx: Tx, done: Application | None) -> None:
    assert done is not None  # the row was locked while it was judged
    assert done.finished_at is not None
    # Nobody needs the content of the others, and a bank account goes no further than it must.
    content = done.content if done.procedure == Procedure.POLICYHOLDER_CHANGE else {}
    tx.emit(
        ApplicationCompleted(
            number=done.number,
            procedure=done.procedure,
            procedure_label=done.kind.label,
            policyholder_code=done.policyholder_code,
            applicant_user_id=done.submitted_by or done.created_by,
            completed_at=done.finished_at,
            effective_date=done.effective_date,
            content=content,
        )
    )


def _say_rejected(tx: Tx, done: Application | None) -> None:
    assert done is not None  # the row was locked while it was judged
    assert done.finished_at is not None
    assert done.reason is not None
    tx.emit(
        ApplicationRejected(
            number=done.number,
            procedure=done.procedure,
            procedure_label=done.kind.label,
            policyholder_code=done.policyholder_code,
            applicant_user_id=done.submitted_by or done.created_by,
            rejected_at=done.finished_at,
            reason=done.reason,
        )
    )
