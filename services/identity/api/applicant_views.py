"""How an applicant is shown to the administrator, with the labels of the screens."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from chassis.http import NotFound, View
from chassis.sql import Reader
from contracts.permissions import (
    APPLICATION_DATA_LABELS,
    CONTRACT_DATA_LABELS,
    ENTRY_LABELS,
    ApplicationData,
    ContractData,
    Entry,
)
from identity.rules.applicants import STATE_LABELS, Company
from identity.store import applicants, companies


class PasswordState(StrEnum):
    """What the applicant can log in with."""

    CHOSEN = "chosen"
    TEMPORARY = "temporary"
    LAPSED = "lapsed"


PASSWORD_LABELS = {
    PasswordState.CHOSEN: "設定済み",
    PasswordState.TEMPORARY: "仮パスワード（未使用）",
    PasswordState.LAPSED: "有効期限切れ（パスワードリセットが必要です）",
}


class ListedRider(View):
    """A chosen rider code; one that NEXI withdrew has no effect (W5)."""

    rider_code: str
    effective: bool


class Applicant(View):
    """All about one applicant (R144)."""

    user_id: str
    version: int
    enabled: bool
    state_label: str = Field(description="使用状態")
    email: str
    address_failing: bool = Field(description="mail to this address comes back")
    name: str
    phone: str
    department: str
    title: str
    entry: Entry
    entry_label: str
    contract_data: ContractData
    contract_data_label: str
    rider_codes: list[ListedRider]
    application_data: ApplicationData
    application_data_label: str
    password_state: PasswordState
    password_state_label: str
    locked: bool = Field(description="too many wrong passwords, for the time being (L1)")
    last_login_at: datetime | None
    created_at: datetime
    changed_at: datetime


def show(row: Any, effective: Collection[str]) -> Applicant:
    """A row of the store as the administrator sees it; `effective`: the codes the company can use now."""
    password = _password_state(row["has_password"], row["temporary_password_until"])
    listed = [ListedRider(rider_code=code, effective=code in effective) for code in row["rider_codes"]]
    return Applicant(
        **{**row, "rider_codes": listed},
        state_label=STATE_LABELS[row["enabled"]],
        entry_label=ENTRY_LABELS[row["entry"]],
        contract_data_label=CONTRACT_DATA_LABELS[row["contract_data"]],
        application_data_label=APPLICATION_DATA_LABELS[row["application_data"]],
        password_state=password,
        password_state_label=PASSWORD_LABELS[password],
    )


def _password_state(has_password: bool, temporary_until: datetime | None) -> PasswordState:
    if temporary_until is not None and temporary_until > datetime.now(UTC):
        return PasswordState.TEMPORARY
    return PasswordState.CHOSEN if has_password else PasswordState.LAPSED


async def facts(db: Reader, policyholder_code: str) -> Company:
    """What the rules ask about the caller's company."""
    company = await companies.find(db, policyholder_code)
    if company is None:
        return Company(uses_comprehensive=False, rider_codes=frozenset())
    return Company(company.uses_comprehensive_insurance, frozenset(company.rider_codes))


async def shown(db: Reader, policyholder_code: str, user_id: str) -> Applicant:
    """The applicant as the screens show it. Raises NotFound for any ID that is not one of the company's."""
    row = await applicants.one(db, policyholder_code, user_id)
    if row is None:
        raise NotFound
    return show(row, (await facts(db, policyholder_code)).usable_codes)
