"""How administrators see their own data."""

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
)
from identity.rules.applicants import ONE_TIME_PASSWORD_LABELS
from identity.rules.email_addresses import Link, LinkState
from identity.settings import IdentitySettings
from identity.store import administrators, companies, email_changes
from identity.store.users import User


class MailState(StrEnum):
    """What became of the mail with the link."""

    ORDERED = "ordered"
    ACCEPTED = "accepted"
    FAILED = "failed"


class PendingAddress(View):
    """A wished address that waits for its link (E1); the registered one stays in force."""

    address: str
    requested_at: datetime
    expires_at: datetime = Field(description="24 hours from the mail server's acceptance (E2)")
    lapsed: bool
    mail: MailState


class Administrator(View):
    """Webユーザー（管理者）情報."""

    user_id: str
    version: int
    email: str = Field(description="the registered address, in force")
    address_failing: bool = Field(description="mail to this address comes back")
    pending_email: PendingAddress | None
    name: str
    phone: str
    department: str
    title: str
    one_time_password: bool
    one_time_password_label: str = Field(description="ワンタイムパスワード利用")
    entry_label: str
    contract_data_label: str
    application_data_label: str
    last_login_at: datetime | None
    created_at: datetime
    changed_at: datetime


async def shown(db: Reader, user: User, settings: IdentitySettings) -> Administrator:
    """The administrator as the screens show it."""
    company = await companies.find(db, user.policyholder_code)
    if company is None:
        raise NotFound
    more = await administrators.standing(db, user.user_id)
    return Administrator(
        **user.model_dump(include=set(Administrator.model_fields)),
        **more,
        pending_email=pending(await email_changes.pending(db, user.user_id), settings),
        one_time_password=company.uses_one_time_password,
        one_time_password_label=ONE_TIME_PASSWORD_LABELS[company.uses_one_time_password],
        entry_label=ENTRY_LABELS[user.entry],
        contract_data_label=CONTRACT_DATA_LABELS[user.contract_data],
        application_data_label=APPLICATION_DATA_LABELS[user.application_data],
    )


def pending(row: Any, settings: IdentitySettings) -> PendingAddress | None:
    """An open request as it is shown."""
    if row is None:
        return None
    link, life = link_of(row), settings.email_change_life
    mail = MailState.ACCEPTED if row["mail_accepted_at"] else MailState.FAILED if row["mail_failed_at"] else None
    return PendingAddress(
        address=row["new_address"],
        requested_at=row["requested_at"],
        expires_at=link.expires_at(life),
        lapsed=link.state(datetime.now(UTC), life) is LinkState.LAPSED,
        mail=mail or MailState.ORDERED,
    )


def link_of(row: Any) -> Link:
    """A row of the store as the rules read it."""
    return Link(
        requested_at=row["requested_at"],
        mail_accepted_at=row["mail_accepted_at"],
        confirmed_at=row["confirmed_at"],
        superseded=row["superseded"],
        withdrawn=row["withdrawn"],
    )
