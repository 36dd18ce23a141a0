"""What accounts says: the policyholder's profile and bank accounts as they came to be."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.messages import Event
from contracts import actions, fields
from contracts.nexi import Profile


class Use(StrEnum):
    """利用区分 (W6)."""

    PREMIUM_REFUND = "premium_refund"
    CLAIM_PAYMENT = "claim_payment"


USE_LABELS = {Use.PREMIUM_REFUND: "保険料返還", Use.CLAIM_PAYMENT: "保険金請求"}


class DepositType(StrEnum):
    """預金種別 (F5)."""

    ORDINARY = "ordinary"
    CURRENT = "current"


DEPOSIT_TYPE_LABELS = {DepositType.ORDINARY: "普通預金", DepositType.CURRENT: "当座預金"}


class Account(BaseModel):
    """A registered bank account with the names of bank and branch as of now."""

    model_config = ConfigDict(frozen=True)
    id: UUID
    version: int
    bank_code: fields.BankCode
    bank_name: str
    branch_code: fields.BranchCode
    branch_name: str
    deposit_type: DepositType
    account_number: fields.AccountNumber
    holder: str
    holder_kana: str
    use: Use
    fixed_date: date = Field(description="確定日")


class ProfileChanged(Event):
    """The profile in force from now on; the greatest `version` wins. `number`: the application that led to it."""

    policyholder_code: fields.PolicyholderCode
    profile: Profile
    version: int
    number: fields.WebApplicationNumber | None = None


class AccountProcedureApplied(Event):
    """An account procedure was carried out: the account was registered, changed or deleted."""

    number: fields.WebApplicationNumber
    policyholder_code: fields.PolicyholderCode
    account_id: UUID
    applied_at: AwareDatetime


class AccountProcedureRefused(Event):
    """An account procedure could not be carried out; `reason` is a Japanese sentence for the user."""

    number: fields.WebApplicationNumber
    policyholder_code: fields.PolicyholderCode
    reason: str


class OperatorActed(actions.OperatorActed):
    """An operator's command changed something; `about` says what: an application, a file, parked events."""


class AccessRefused(actions.AccessRefused):
    """Refused at the accounts gateway."""
