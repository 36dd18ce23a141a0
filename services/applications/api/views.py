"""What callers are shown of an application, in the manual's words."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from applications.rules.lifecycle import LABELS, State
from applications.rules.scopes import may_handle
from applications.rules.times import shown
from applications.store import applications, documents
from applications.store.rows import Application
from chassis.http import View
from chassis.sql import Reader
from contracts.caller import Caller
from contracts.permissions import Permission


class DocumentView(View):
    """A file that can be downloaded."""

    id: UUID
    title: str
    size: int = Field(description="bytes")
    sha256: str = Field(description="of the content, hexadecimal")


class WarningView(View):
    """Something to think of before 申込み; it forbids nothing."""

    message: str
    numbers: list[str] = Field(description="the open applications that name the account")


class SummaryView(View):
    """An application as the list shows it."""

    number: str = Field(description="Web申込番号")
    policyholder_code: str
    procedure: str
    procedure_label: str = Field(description="申込種類")
    state: State
    state_label: str
    version: int
    created_at: datetime
    created_by: str
    saved_at: datetime
    submitted_at: datetime | None = Field(description="Web申込日時")
    submitted_at_shown: str | None = Field(
        description="Web申込日時 as the screens write it: 2015年 09月 01日 12時 00分"
    )
    submitted_by: str | None
    finished_at: datetime | None = Field(description="when it was completed, rejected or withdrawn")
    effective_date: date | None = Field(description="適用開始日, once NEXI decided it")
    reason: str | None = Field(description="why it was rejected")
    has_notice: bool = Field(description="a 通知書 can be downloaded")
    may_resume: bool = Field(description="a draft that this caller may correct")


class ApplicationView(SummaryView):
    """An application with everything that was entered."""

    content: dict[str, Any]
    account_id: UUID | None = Field(description="the bank account that came of it, or was changed or deleted")
    acknowledgement: str | None = Field(description="the check box that must be ticked before 申込み")
    notice: DocumentView | None
    attachments: list[DocumentView]
    warnings: list[WarningView]
    message: str | None = Field(None, description="the sentence of the completion screen, when answering 申込み")


_AS_THEY_ARE = tuple(SummaryView.model_fields.keys() & set(Application._fields))


def summary(found: Application, caller: Caller) -> SummaryView:
    """One row of the list."""
    return SummaryView(**_summary(found, caller))


async def present(reader: Reader, found: Application, caller: Caller) -> ApplicationView:
    """The whole, as of now."""
    kind = found.kind
    notice = await documents.about(reader, found.notice_id) if found.notice_id else None
    attached = await documents.attached(reader, found.number) if kind.attachments else []
    return ApplicationView(
        **_summary(found, caller),
        content=found.content,
        account_id=found.account_id,
        acknowledgement=kind.acknowledgement,
        notice=_document(notice) if notice else None,
        attachments=[_document(one) for one in attached],
        warnings=await _warnings(reader, found),
    )


def _summary(found: Application, caller: Caller) -> dict[str, Any]:
    return {
        **{name: getattr(found, name) for name in _AS_THEY_ARE},
        "procedure_label": found.kind.label,
        "state_label": LABELS[found.state],
        "submitted_at_shown": shown(found.submitted_at) if found.submitted_at else None,
        "has_notice": found.notice_id is not None,
        "may_resume": found.state is State.DRAFT and may_handle(caller, found.kind) and Permission.ENTER in caller.may,
    }


def _document(row: Any) -> DocumentView:
    return DocumentView(id=row["id"], title=row["title"], size=row["size"], sha256=row["sha256"].hex())


async def _warnings(reader: Reader, found: Application) -> list[WarningView]:
    if found.state is not State.DRAFT or found.kind.warning is None:
        return []
    account_id = UUID(found.content["account_id"])
    numbers = await applications.naming(reader, found.policyholder_code, account_id, found.number)
    return [WarningView(message=found.kind.warning, numbers=numbers)] if numbers else []
