"""What each mail is made from, as types: a fact that is missing or hostile is refused before anything is sent."""

import re
from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from contracts import fields

_BREAKS = re.compile(r"(?:[^\S\u3000]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069])+")


def _on_one_line(value: object) -> object:
    """Free text of another system may not lay out our mail: breaks, controls and direction marks become one blank."""
    return _BREAKS.sub(" ", value).strip() if isinstance(value, str) else value


Line = Annotated[str, BeforeValidator(_on_one_line), Field(min_length=1, max_length=200)]
Reason = Annotated[str, BeforeValidator(_on_one_line), Field(max_length=1000)]


class Facts(BaseModel):
    """The facts of one mail; what it does not know it ignores."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class AboutUser(Facts):
    """A mail to the user itself, or about a user known by ID alone."""

    user_id: fields.WebUserId


class AboutNamedUser(AboutUser):
    """A mail to the administrator about one of the company's users."""

    name: fields.PersonName


class Submitted(Facts):
    """An application that was received."""

    number: fields.WebApplicationNumber
    procedure_label: Line
    submitted_at: AwareDatetime
    applicant: Line


class Completed(Facts):
    """An application that is complete; `effective_date` where the procedure has one."""

    number: fields.WebApplicationNumber
    procedure_label: Line
    completed_at: AwareDatetime
    effective_date: date | None = None


class Rejected(Facts):
    """An application that was refused."""

    number: fields.WebApplicationNumber
    procedure_label: Line
    rejected_at: AwareDatetime
    reason: Reason


class AccountTouched(Facts):
    """A bank account was registered, changed or deleted."""

    number: fields.WebApplicationNumber
    procedure_label: Line
    completed_at: AwareDatetime
    applicant_user_id: fields.WebUserId
