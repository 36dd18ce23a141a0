"""What the administrator's forms take and how their confirmation screens look, for one's own data and applicants."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from chassis.http import Body, Invalid, Problem, View
from contracts import fields
from contracts.permissions import ApplicationData, ContractData, Entry
from identity.rules import email_addresses
from identity.rules.applicants import LABELS, Broken, worded
from identity.rules.permissions import Rights

Version = Annotated[int, Field(ge=1, le=2**53, description="version that was shown to whoever edits")]


def _in_order(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(codes)))


RiderCodes = Annotated[tuple[fields.RiderCode, ...], Field(max_length=500), AfterValidator(_in_order)]


class PersonForm(Body):
    """Who somebody is (R152 to R156)."""

    email: fields.EmailAddress
    name: fields.PersonName
    phone: fields.UserPhone = ""
    department: fields.Department = ""
    title: fields.JobTitle = ""


class RightsForm(Body):
    """The three axes (R157 to R159) and the rider codes for 対象特約のみ参照可能."""

    entry: Entry
    contract_data: ContractData
    rider_codes: RiderCodes = ()
    application_data: ApplicationData

    def rights(self) -> Rights:
        """As the rules read them."""
        return Rights(self.entry, self.contract_data, self.application_data, self.rider_codes)


class ApplicantForm(PersonForm, RightsForm):
    """A new applicant (R126)."""


class ApplicantChange(ApplicantForm):
    """An applicant as it shall be (R147), entered over the version that was shown."""

    version: Version
    enabled: bool = Field(description="使用状態: 有効 / 無効")


class StaleVersion(Problem):
    """Somebody else changed it meanwhile."""

    status = 412
    detail = "表示後に他の操作で変更されました。最新の内容を確認して、もう一度入力してください。"


class Item(View):
    """A line of a confirmation screen, in its words."""

    field: str
    label: str
    value: str
    before: str | None = Field(None, description="what was there, when that is something else")
    changed: bool


class Hint(View):
    """Something to think about that does not stand in the way."""

    field: str
    rule: str
    message: str


class Confirmation(View):
    """What 確定する would do with this input (R112, R137, R161)."""

    items: list[Item]
    changed: list[str]
    warnings: list[Hint]


def check_version(shown: int, present: int) -> None:
    """Raise StaleVersion unless the editor saw what is there."""
    if shown != present:
        raise StaleVersion(version=present)


def check_rules(broken: Sequence[Broken], place: str = "body") -> None:
    """Raise the broken rules as field errors."""
    if broken:
        raise Invalid([{"field": f"{place}.{one.field}", "rule": one.rule, "message": one.message} for one in broken])


def items(
    after: Mapping[str, Any], before: Mapping[str, Any] | None = None, labels: Mapping[str, str] = LABELS
) -> list[Item]:
    """The lines of a confirmation, in the order of the screens."""
    lines = []
    for name, label in labels.items():
        if name not in after:
            continue
        changed = before is not None and name in before and before[name] != after[name]
        was = worded(name, before[name]) if changed and before is not None else None
        lines.append(Item(field=name, label=label, value=worded(name, after[name]), before=was, changed=changed))
    return lines


def address_hints(address: str, place: str = "email") -> list[Hint]:
    """The advice against free mail and mobile addresses (R119)."""
    if not email_addresses.discouraged(address):
        return []
    return [Hint(field=place, rule="discouraged", message=email_addresses.DISCOURAGED)]
