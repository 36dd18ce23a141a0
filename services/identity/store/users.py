"""Web users: who they are, what they may do, and their versions."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from chassis.sql import Reader, Tx
from contracts.actions import Operator
from contracts.permissions import ApplicationData, ContractData, Entry, Role
from identity.rules.permissions import Rights

COLUMNS = """
    user_id, policyholder_code, role, enabled, name, email, phone, department, title,
    entry, contract_data, application_data, rider_codes, viewed_companies,
    version, rights_version, last_login_at, changed_at
"""


class User(BaseModel):
    """A Web user as of now."""

    model_config = ConfigDict(frozen=True)
    user_id: str
    policyholder_code: str
    role: Role
    enabled: bool
    name: str
    email: str
    phone: str
    department: str
    title: str
    entry: Entry
    contract_data: ContractData
    application_data: ApplicationData
    rider_codes: tuple[str, ...]
    viewed_companies: tuple[str, ...]
    version: int
    rights_version: int
    last_login_at: datetime | None
    changed_at: datetime

    @property
    def rights(self) -> Rights:
        """The three axes with the listed rider codes."""
        return Rights(self.entry, self.contract_data, self.application_data, self.rider_codes)

    @property
    def operator(self) -> Operator:
        """The snapshot that this user's actions carry (H3)."""
        return Operator(
            policyholder_code=self.policyholder_code,
            user_id=self.user_id,
            name=self.name,
            department=self.department,
            title=self.title,
        )

    @property
    def companies(self) -> tuple[str, ...]:
        """The policyholder codes that this user may look at: several for a group viewer (R91)."""
        return self.viewed_companies or (self.policyholder_code,)


def user_of(row: Any) -> User | None:
    """A row with at least COLUMNS as a user."""
    return None if row is None else User.model_validate(dict(row))


async def find(reader: Reader, user_id: str) -> User | None:
    """The user with this ID."""
    return user_of(await reader.fetchrow(f"select {COLUMNS} from users where user_id = $1", user_id))


async def lock(tx: Tx, user_id: str) -> User | None:
    """The user with this ID, held until the transaction ends."""
    return user_of(await tx.fetchrow(f"select {COLUMNS} from users where user_id = $1 for no key update", user_id))


async def administrator(reader: Reader, policyholder_code: str) -> User | None:
    """The one administrator of a company (W3)."""
    return user_of(
        await reader.fetchrow(
            f"select {COLUMNS} from users where policyholder_code = $1 and role = 'administrator'", policyholder_code
        )
    )


async def create(
    tx: Tx,
    *,
    user_id: str,
    policyholder_code: str,
    role: Role,
    name: str,
    email: str,
    phone: str,
    department: str,
    title: str,
    rights: Rights,
    viewed_companies: tuple[str, ...] = (),
    issued_at: datetime | None = None,
) -> User | None:
    """A new user; None when the ID is taken or the company has an administrator already."""
    return user_of(
        await tx.fetchrow(
            f"""
            insert into users (user_id, policyholder_code, role, name, email, phone, department, title,
                               entry, contract_data, application_data, rider_codes, viewed_companies, issued_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            on conflict do nothing
            returning {COLUMNS}
            """,
            user_id, policyholder_code, role, name, email, phone, department, title,
            rights.entry, rights.contract_data, rights.application_data, list(rights.rider_codes),
            list(viewed_companies), issued_at,
        )
    )  # fmt: skip


async def revoke(tx: Tx, user_id: str) -> int:
    """Let tokens that carry an earlier version be refused; answers the new version."""
    version = await tx.fetchval(
        "update users set rights_version = rights_version + 1 where user_id = $1 returning rights_version", user_id
    )
    return int(version)


async def set_enabled(tx: Tx, user_id: str, enabled: bool) -> User | None:
    """Switch a user on or off; the changed user, or None when nothing changed."""
    return user_of(
        await tx.fetchrow(
            f"""
            update users set enabled = $2, version = version + 1, changed_at = now()
             where user_id = $1 and enabled <> $2 returning {COLUMNS}
            """,
            user_id, enabled,
        )
    )  # fmt: skip
