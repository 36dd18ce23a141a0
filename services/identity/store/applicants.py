"""The applicants of a company: list, detail, registration, change."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.sql import Reader, Tx
from contracts.permissions import ApplicationData, ContractData, Entry, Role
from identity.rules.permissions import Rights
from identity.store import users
from identity.store.users import User

_SHOWN = """
    u.user_id, u.enabled, u.name, u.email, u.phone, u.department, u.title,
    u.entry, u.contract_data, u.application_data, u.rider_codes, u.version, u.last_login_at, u.created_at, u.changed_at,
    exists (select from failing_addresses f where f.user_id = u.user_id) as address_failing,
    coalesce((select locked_until > now() from login_attempts a where a.user_id = u.user_id), false) as locked,
    u.password_hash is not null as has_password,
    (select max(expires_at) from temporary_passwords t where t.user_id = u.user_id and t.used_at is null)
        as temporary_password_until
"""


class Sort(StrEnum):
    """What a list may be ordered by; the values are expressions of the query."""

    USER_ID = "user_id"
    NAME = "name"
    EMAIL = "email"
    DEPARTMENT = "department"
    STATE = "state"
    LAST_LOGIN = "last_login"


_ORDERS = {
    Sort.USER_ID: "u.user_id",
    Sort.NAME: 'u.name collate "C"',
    Sort.EMAIL: 'lower(u.email) collate "C"',
    Sort.DEPARTMENT: 'u.department collate "C"',
    Sort.STATE: "u.enabled",
    Sort.LAST_LOGIN: "u.last_login_at",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the list is wanted. `narrow` is what was typed, `wide` the same in full-width letters."""

    narrow: str
    wide: str
    enabled: bool | None
    sort: Sort
    descending: bool
    offset: int
    limit: int


# lower() knows full-width letters in some locales of the database only.
_WIDE_LETTERS = "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
_FOLDED = "translate({}, '" + _WIDE_LETTERS + "', '" + _WIDE_LETTERS.lower() + "')"

_FOUND = f"""
  from users u
 where u.policyholder_code = $1 and u.role = 'applicant'
   and ($2::boolean is null or u.enabled = $2)
   and (position($3 in u.user_id) > 0 or position($3 in lower(u.email)) > 0
        or position($4 in {_FOLDED.format("u.name")}) > 0 or position($4 in {_FOLDED.format("u.department")}) > 0)
"""


async def listed(db: Reader, policyholder_code: str, wanted: Wanted) -> tuple[list[Any], int]:
    """A page of the list, and how many there are on all pages."""
    found = (policyholder_code, wanted.enabled, wanted.narrow.lower(), wanted.wide.lower())
    total = await db.fetchval(f"select count(*) {_FOUND}", *found)
    way = "desc nulls last" if wanted.descending else "asc nulls first"
    rows = await db.fetch(
        f"select {_SHOWN} {_FOUND} order by {_ORDERS[wanted.sort]} {way}, u.user_id limit $5 offset $6",
        *found,
        wanted.limit,
        wanted.offset,
    )
    return rows, total


async def one(db: Reader, policyholder_code: str, user_id: str) -> Any:
    """An applicant of this company, or None; another company's is None like one that does not exist."""
    return await db.fetchrow(
        f"select {_SHOWN} from users u where u.user_id = $1 and u.policyholder_code = $2 and u.role = 'applicant'",
        user_id,
        policyholder_code,
    )


async def some(db: Reader, policyholder_code: str, user_ids: Sequence[str]) -> list[Any]:
    """ID, address and name of these applicants of the company."""
    return await db.fetch(
        "select user_id, email, name from users"
        " where policyholder_code = $1 and role = 'applicant' and user_id = any($2) order by user_id",
        policyholder_code,
        list(user_ids),
    )


def rights_of(row: Any) -> Rights:
    """The rights in a row of this store."""
    return Rights(
        Entry(row["entry"]),
        ContractData(row["contract_data"]),
        ApplicationData(row["application_data"]),
        tuple(row["rider_codes"]),
    )


async def take(tx: Tx, policyholder_code: str, user_id: str) -> User | None:
    """An applicant of this company, held against other editors until the transaction ends; else None."""
    user = await users.lock(tx, user_id)
    if user is None or user.policyholder_code != policyholder_code or user.role is not Role.APPLICANT:
        return None
    return user


async def allot_serial(tx: Tx, policyholder_code: str) -> int | None:
    """The next serial of the company, never given again (W2); None when all 999 have been given away."""
    serial: int | None = await tx.fetchval(
        "update companies set last_serial = last_serial + 1"
        " where policyholder_code = $1 and last_serial < 999 returning last_serial",
        policyholder_code,
    )
    return serial


async def serials_left(db: Reader, policyholder_code: str) -> int:
    """How many applicants can still be registered."""
    left = await db.fetchval("select 999 - last_serial from companies where policyholder_code = $1", policyholder_code)
    return int(left)


async def change(
    tx: Tx,
    user_id: str,
    *,
    enabled: bool,
    email: str,
    name: str,
    phone: str,
    department: str,
    title: str,
    rights: Rights,
) -> User:
    """Put these values in the place of the present ones; answers the changed applicant."""
    changed = users.user_of(
        await tx.fetchrow(
            f"""
            update users
               set enabled = $2, email = $3, name = $4, phone = $5, department = $6, title = $7,
                   entry = $8, contract_data = $9, application_data = $10, rider_codes = $11,
                   version = version + 1, changed_at = now()
             where user_id = $1 and role = 'applicant'
            returning {users.COLUMNS}
            """,
            user_id, enabled, email, name, phone, department, title,
            rights.entry, rights.contract_data, rights.application_data, list(rights.rider_codes),
        )
    )  # fmt: skip
    assert changed is not None
    return changed


async def registered_before(tx: Tx, policyholder_code: str, key: UUID) -> Any:
    """What a registration with this key brought, or None; a parallel one with the same key waits for this one."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"registration {policyholder_code} {key}")
    return await tx.fetchrow(
        "select digest, user_ids from registrations where policyholder_code = $1 and key = $2", policyholder_code, key
    )


async def remember_registration(
    tx: Tx, policyholder_code: str, key: UUID, digest: bytes, user_ids: Sequence[str]
) -> None:
    """So that the same request again answers the same."""
    await tx.execute(
        "insert into registrations (policyholder_code, key, digest, user_ids) values ($1, $2, $3, $4)",
        policyholder_code,
        key,
        digest,
        list(user_ids),
    )


async def namesakes(db: Reader, policyholder_code: str, addresses: Sequence[str]) -> set[tuple[str, str]]:
    """The (lower-case address, name) pairs of this company's applicants that have one of these addresses."""
    rows = await db.fetch(
        "select lower(email) as email, name from users"
        " where policyholder_code = $1 and role = 'applicant' and lower(email) = any($2::text[])",
        policyholder_code,
        [address.lower() for address in addresses],
    )
    return {(row["email"], row["name"]) for row in rows}
