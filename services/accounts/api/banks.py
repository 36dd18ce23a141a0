"""取引先金融機関・取引先支店の選択: banks and branches are chosen from the master, never typed (R208, R219, F5)."""

from enum import StrEnum

from pydantic import Field

from accounts.rules.search_keys import search_key
from accounts.store import banks as store
from chassis.http import Body, NotFound, Routes, View
from chassis.sql import Database
from contracts import fields
from contracts.permissions import Permission

routes = Routes(tag="banks")


class Match(StrEnum):
    """Where a name must hold what was typed; codes always match from their beginning."""

    PREFIX = "prefix"
    PART = "part"


class Search(Body):
    """By code, name or kana; widths, kana scripts and cases are all the same."""

    search: str = Field("", max_length=100)
    match: Match = Match.PART
    after: str = Field("", pattern="^[0-9]{0,4}$", description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)


class Listed(View):
    """A bank or a branch."""

    code: str
    name: str
    kana: str


class Page(View):
    """Banks or branches by code; `next` continues as `after`."""

    items: list[Listed]
    next: str | None


@routes.get("/banks", needs=Permission.USE)
async def list_banks(query: Search, database: Database) -> Page:
    """Search banks."""
    rows = await store.find_banks(
        database, search_key(query.search), prefix=query.match is Match.PREFIX, after=query.after, limit=query.limit
    )
    return _page([Listed(**row) for row in rows], query.limit)


@routes.get("/banks/{bank_code}", needs=Permission.USE)
async def show_bank(bank_code: fields.BankCode, database: Database) -> Listed | NotFound:
    """One bank."""
    row = await store.bank(database, bank_code)
    return NotFound() if row is None else Listed(**row)


@routes.get("/banks/{bank_code}/branches", needs=Permission.USE)
async def list_branches(bank_code: fields.BankCode, query: Search, database: Database) -> Page | NotFound:
    """Search a bank's branches."""
    if await store.bank(database, bank_code) is None:
        return NotFound()
    rows = await store.find_branches(
        database,
        bank_code,
        search_key(query.search),
        prefix=query.match is Match.PREFIX,
        after=query.after,
        limit=query.limit,
    )
    return _page([Listed(**row) for row in rows], query.limit)


@routes.get("/banks/{bank_code}/branches/{branch_code}", needs=Permission.USE)
async def show_branch(
    bank_code: fields.BankCode, branch_code: fields.BranchCode, database: Database
) -> Listed | NotFound:
    """One branch."""
    row = await store.branch(database, bank_code, branch_code)
    return NotFound() if row is None else Listed(**row)


def _page(items: list[Listed], limit: int) -> Page:
    return Page(items=items, next=items[-1].code if len(items) == limit else None)
