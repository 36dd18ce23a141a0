"""What applications says: drafts, submissions and what became of them; and the wishes that other services carry out."""

from datetime import date
from enum import StrEnum
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.messages import Event
from contracts import actions, fields
from contracts.accounts import DepositType, Use
from contracts.actions import Action
from contracts.operations import Operation


class Procedure(StrEnum):
    """The procedures that another service carries out; all others are known to applications alone."""

    POLICYHOLDER_CHANGE = "policyholder_change"
    ACCOUNT_REGISTRATION = "account_registration"
    ACCOUNT_CHANGE = "account_change"
    ACCOUNT_DELETION = "account_deletion"


AccountProcedure: TypeAlias = Literal[
    Procedure.ACCOUNT_REGISTRATION, Procedure.ACCOUNT_CHANGE, Procedure.ACCOUNT_DELETION
]
"""Those that accounts carries out at once."""


class PolicyholderWish(BaseModel):
    """The items wished for; None leaves an item as it is (R170). A branch may not send the head office's items (F6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    wished_date: date = Field(description="変更適用希望日, not before the day of application (F4)")
    name: fields.PolicyholderName | None = None
    kana: fields.PolicyholderKana | None = None
    postal_code: fields.PostalCode | None = None
    address: fields.Address | None = None
    phone: fields.CompanyPhone | None = None
    registered_address: fields.RegisteredAddress | None = None
    representative_title: fields.RepresentativeTitle | None = None
    representative_name: fields.RepresentativeName | None = None
    home_page: fields.HomePage | None = None


class AccountWish(BaseModel):
    """An account as it shall be (R206, R212)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    bank_code: fields.BankCode
    branch_code: fields.BranchCode
    deposit_type: DepositType
    account_number: fields.AccountNumber
    holder: fields.AccountHolder
    holder_kana: fields.AccountHolderKana
    use: Use


class AccountRegistration(AccountWish):
    """口座登録."""


class AccountChange(AccountWish):
    """口座情報変更 of a given version of an account."""

    account_id: UUID
    account_version: int = Field(ge=1)


class AccountDeletion(BaseModel):
    """口座情報削除 of a given version of an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    account_id: UUID
    account_version: int = Field(ge=1)


class _AboutApplication(BaseModel):
    number: fields.WebApplicationNumber
    procedure: str
    procedure_label: str = Field(description="申込種類")


class DraftSaved(Action, _AboutApplication):
    """A draft got a new version: confirmed, or a file came or went; with the code of 入力と保存, if there is one."""

    version: int


class DraftWithdrawn(Action, _AboutApplication):
    """A draft was given up; its number is never used again."""


class AttachedDocument(BaseModel):
    """A PDF that belongs to an application; NEXI's systems fetch it by its id."""

    model_config = ConfigDict(frozen=True)
    id: UUID
    title: str
    size: int = Field(description="bytes")
    sha256: str = Field(description="of the content, hexadecimal")


class ApplicationSubmitted(Action, _AboutApplication):
    """申込み: the application is with NEXI."""

    submitted_at: AwareDatetime
    content: dict[str, Any]
    attachments: tuple[AttachedDocument, ...] = ()


class AccountProcedureSubmitted(ApplicationSubmitted):
    """申込み of 口座登録・変更・削除: the service accounts carries it out; NEXI's queue does not bring it."""

    procedure: AccountProcedure


class ApplicationCompleted(Event):
    """Everything is complete (R53); `effective_date` is the day of effect by Japan time."""

    number: fields.WebApplicationNumber
    procedure: str
    procedure_label: str
    policyholder_code: fields.PolicyholderCode
    applicant_user_id: fields.WebUserId
    completed_at: AwareDatetime
    effective_date: date | None = None
    content: dict[str, Any]


class ApplicationRejected(Event):
    """NEXI or the carrying service refused."""

    number: fields.WebApplicationNumber
    procedure: str
    procedure_label: str
    policyholder_code: fields.PolicyholderCode
    applicant_user_id: fields.WebUserId
    rejected_at: AwareDatetime
    reason: str


class ApplicationListViewed(Action):
    """Somebody looked at Web申込状況一覧 (R259)."""

    operation: Operation = Operation.APPLICATION_LIST_VIEW


class NoticeDownloaded(Action):
    """Somebody downloaded a 通知書 (R260)."""

    operation: Operation = Operation.NOTICE_DOWNLOAD
    number: fields.WebApplicationNumber


class OperatorActed(actions.OperatorActed):
    """An operator's command changed something; `about` says which parked events."""


class AccessRefused(actions.AccessRefused):
    """Refused at the applications gateway."""
