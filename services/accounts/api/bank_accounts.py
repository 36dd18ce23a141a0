"""口座情報照会: the list and the detail for every user, the past for the administrator."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, computed_field

from accounts.api.tenants import Whose, policyholder_of
from accounts.store import bank_accounts as store
from accounts.store import procedures
from chassis.http import Forbidden, Invalid, NotFound, Routes, View
from chassis.sql import Database
from contracts.accounts import DEPOSIT_TYPE_LABELS, USE_LABELS, Account
from contracts.applications import Procedure
from contracts.caller import Caller
from contracts.permissions import Permission

routes = Routes(tag="accounts")


class ShownAccount(Account):
    """An account with its words for people (R103, R105)."""

    @computed_field(description="利用区分")  # type: ignore[prop-decorator]  # mypy knows none above @property
    @property
    def use_label(self) -> str:
        """As the list shows it."""
        return USE_LABELS[self.use]

    @computed_field(description="預金種別")  # type: ignore[prop-decorator]  # mypy knows none above @property
    @property
    def deposit_type_label(self) -> str:
        """As the list shows it."""
        return DEPOSIT_TYPE_LABELS[self.deposit_type]


class Sorting(Whose):
    """△▽ on use, account number and fixed date (R104)."""

    sort: store.Column = store.Column.USE
    order: store.Direction = store.Direction.ASCENDING


class Done(View):
    """What a procedure made of an account."""

    place: int
    number: str = Field(description="Web申込番号")
    procedure: Procedure
    decided_at: datetime
    deleted: bool
    account: ShownAccount = Field(description="the account as it became")


class Past(View):
    """The newest first; `next` continues as `before`."""

    items: list[Done]
    next: int | None


class PastQuery(Whose):
    """Which part of the past; of all accounts, or of one."""

    account_id: UUID | None = None
    before: int | None = Field(None, ge=1, le=2**63 - 1)
    limit: int = Field(50, ge=1, le=200)


@routes.get("/accounts", needs=Permission.USE, raises=[Forbidden, Invalid])
async def list_accounts(query: Sorting, caller: Caller, database: Database) -> list[ShownAccount]:
    """The policyholder's accounts for refunds and claims, for any of its users (R101)."""
    rows = await store.listing(database, policyholder_of(caller, query), query.sort, query.order)
    return [ShownAccount(**row) for row in rows]


@routes.get("/accounts/{account_id}", needs=Permission.USE, raises=[Forbidden, Invalid])
async def show_account(account_id: UUID, query: Whose, caller: Caller, database: Database) -> ShownAccount | NotFound:
    """One account."""
    row = await store.one(database, policyholder_of(caller, query), account_id)
    return NotFound() if row is None else ShownAccount(**row)


@routes.get("/account-history", needs=Permission.ADMINISTER, raises=[Forbidden, Invalid])
async def show_account_history(query: PastQuery, caller: Caller, database: Database) -> Past:
    """What was registered, changed and deleted; deleted accounts are here and nowhere else (P8)."""
    code = policyholder_of(caller, query)
    rows = await procedures.history(database, code, account_id=query.account_id, before=query.before, limit=query.limit)
    items = [Done(**row, account=ShownAccount(id=row["account_id"], **row)) for row in rows]
    return Past(items=items, next=items[-1].place if len(items) == query.limit else None)
