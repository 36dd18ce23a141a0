"""What NEXI's systems say, on an exchange and virtual host of their own (N1 to N3, P6, H1)."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from chassis.messages import Event, Moment
from contracts import fields
from contracts.actions import Operator
from contracts.operations import Operation

AHEAD = timedelta(hours=1)
"""How far NEXI's clock may be ahead of ours. A statement from the far future would outlive every later one."""
FROM_THE_FUTURE = "issued_at lies in the future; it would outlive every later statement"


class _NexiEvent(Event):
    """`issued_at` orders what NEXI says about one thing: the later one wins, however the messages arrive."""

    exchange: ClassVar[str] = "nexi"
    issued_at: Moment

    @property
    def believable_issued_at(self) -> datetime:
        """When it was issued, as far ahead as a difference of clocks explains."""
        return min(self.issued_at, datetime.now(UTC) + AHEAD)

    @property
    def is_from_the_future(self) -> bool:
        """Whether no difference of clocks explains it."""
        return self.issued_at > self.believable_issued_at


class Office(StrEnum):
    """本店 / 支店."""

    HEAD = "head"
    BRANCH = "branch"


class Profile(BaseModel):
    """保険利用者情報. A branch has no registered address, representative or home page (F6)."""

    model_config = ConfigDict(frozen=True)
    office: Office
    name: fields.PolicyholderName
    kana: fields.PolicyholderKana
    postal_code: fields.PostalCode
    address: fields.Address
    phone: fields.CompanyPhone
    registered_address: fields.RegisteredAddress | None = None
    representative_title: fields.RepresentativeTitle | None = None
    representative_name: fields.RepresentativeName | None = None
    home_page: fields.HomePage | None = None


class Administrator(BaseModel):
    """The person who becomes the administrator when the terms of use are agreed to (R64, N1)."""

    model_config = ConfigDict(frozen=True)
    name: fields.PersonName
    email: fields.EmailAddress
    phone: fields.UserPhone = ""
    department: fields.Department = ""
    title: fields.JobTitle = ""


class PolicyholderRegistered(_NexiEvent):
    """A company became a policyholder; with agreed terms its administrator becomes a Web user."""

    policyholder_code: fields.PolicyholderCode
    profile: Profile
    terms_agreed: bool
    administrator: Administrator | None = Field(None, description="mandatory when the terms were agreed to")
    uses_comprehensive_insurance: bool = Field(False, description="企業総合保険")
    rider_codes: tuple[fields.RiderCode, ...] = ()


class PolicyholderChanged(_NexiEvent):
    """NEXI changed the profile by itself."""

    policyholder_code: fields.PolicyholderCode
    profile: Profile


class RidersChanged(_NexiEvent):
    """The whole new state: whether 企業総合保険 is used, and its rider codes (W5)."""

    policyholder_code: fields.PolicyholderCode
    uses_comprehensive_insurance: bool
    rider_codes: tuple[fields.RiderCode, ...]


class GroupViewerGranted(_NexiEvent):
    """全社閲覧用ID: a read-only user over several policyholder codes (R91, N2)."""

    user_id: fields.WebUserId
    person: Administrator
    policyholder_codes: tuple[fields.PolicyholderCode, ...] = Field(min_length=1)


class GroupViewerWithdrawn(_NexiEvent):
    """The group viewer may no longer log in."""

    user_id: fields.WebUserId


class Document(BaseModel):
    """通知書: a PDF."""

    model_config = ConfigDict(frozen=True)
    title: str = Field(min_length=1, max_length=100)
    pdf: str = Field(max_length=8 * 1024 * 1024, description="base64 of the PDF")


class ProcedureCompleted(_NexiEvent):
    """All of NEXI's checks are complete (R53, P6)."""

    number: fields.WebApplicationNumber
    effective_date: date | None = Field(None, description="wins over the wished date")
    document: Document | None = None


class ProcedureRejected(_NexiEvent):
    """NEXI refused."""

    number: fields.WebApplicationNumber
    reason: str = Field(min_length=1, max_length=400)


class NoticePublished(_NexiEvent):
    """お知らせ, shown from `published_from` until `published_until` (open end: None) (N3)."""

    notice_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,40}$")
    title: str = Field(min_length=1, max_length=100)
    body: str = Field(min_length=1, max_length=4000)
    published_from: Moment
    published_until: Moment | None = None


class NoticeWithdrawn(_NexiEvent):
    """The notice is not shown any more."""

    notice_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,40}$")


class OperationPerformed(_NexiEvent):
    """An operation of the catalogue that another system or front end carried out for a Web user (H1)."""

    operator: Operator
    operation: Operation
    performed_at: Moment
