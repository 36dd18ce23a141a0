"""保険利用者情報: the profile in force for every user, its history and coming changes for the administrator."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from accounts.api.tenants import Whose, policyholder_of
from accounts.store import profiles as store
from chassis.http import Forbidden, Invalid, NotFound, Routes, View
from chassis.sql import Database
from contracts.applications import PolicyholderWish
from contracts.caller import Caller
from contracts.nexi import Office
from contracts.permissions import Permission

routes = Routes(tag="profile")


class BranchItems(View):
    """保険利用者（支店）の情報: without the head office's items (R108, R167, F6)."""

    office: Literal[Office.BRANCH]
    name: str = Field(description="保険利用者名（漢字）")
    kana: str = Field(description="保険利用者名（カナ）")
    postal_code: str
    address: str = Field(description="所在地")
    phone: str = Field(description="代表電話番号")


class HeadOfficeItems(View):
    """保険利用者（本店）の情報."""

    office: Literal[Office.HEAD]
    name: str = Field(description="保険利用者名（漢字）")
    kana: str = Field(description="保険利用者名（カナ）")
    postal_code: str
    address: str = Field(description="所在地")
    phone: str = Field(description="代表電話番号")
    registered_address: str | None = Field(description="登記所在地")
    representative_title: str | None = Field(description="代表者役職名")
    representative_name: str | None = Field(description="代表者氏名")
    home_page: str | None = Field(description="ホームページアドレス")


class ProfileVersion(View):
    """A profile as it was, or is, in force."""

    policyholder_code: str
    version: int
    in_force_from: datetime
    profile: HeadOfficeItems | BranchItems = Field(discriminator="office")


class PastVersion(ProfileVersion):
    """A version with where it came from."""

    source: Literal["registration", "nexi", "application"]
    number: str | None = Field(description="Web申込番号")
    effective_date: date | None = Field(description="day of effect of that application")


class History(View):
    """Versions, the present one first; `next` continues as `before`."""

    items: list[PastVersion]
    next: int | None


class ComingChange(View):
    """A completed change that waits for its day; items that are null stay as they are."""

    number: str = Field(description="Web申込番号")
    effective_date: date
    completed_at: datetime
    wish: PolicyholderWish


class HistoryQuery(Whose):
    """Which part of the history."""

    before: int | None = Field(None, ge=1, le=2_147_483_647)
    limit: int = Field(50, ge=1, le=200)


@routes.get("/profile", needs=Permission.USE, raises=[Forbidden, Invalid])
async def show_profile(query: Whose, caller: Caller, database: Database) -> ProfileVersion | NotFound:
    """The policyholder's registered information, for any of its users (R106, R166)."""
    code = policyholder_of(caller, query)
    rows = await store.versions(database, code)
    return ProfileVersion(policyholder_code=code, **_items(rows[0])) if rows else NotFound()


@routes.get("/profile/history", needs=Permission.ADMINISTER, raises=[Forbidden, Invalid])
async def show_history(query: HistoryQuery, caller: Caller, database: Database) -> History:
    """Every version that was in force, the present one first."""
    code = policyholder_of(caller, query)
    rows = await store.versions(database, code, before=query.before, limit=query.limit)
    items = [PastVersion(policyholder_code=code, **_items(row)) for row in rows]
    return History(items=items, next=items[-1].version if len(items) == query.limit else None)


@routes.get("/profile/coming-changes", needs=Permission.ADMINISTER, raises=[Forbidden, Invalid])
async def show_coming_changes(query: Whose, caller: Caller, database: Database) -> list[ComingChange]:
    """Completed changes that take effect on a later day, the next one first (P6)."""
    rows = await store.waiting(database, policyholder_of(caller, query))
    return [ComingChange(**row) for row in rows]


def _items(row: Any) -> dict[str, Any]:
    office = HeadOfficeItems if row["profile"]["office"] == Office.HEAD else BranchItems
    return dict(row) | {"profile": office(**row["profile"])}
