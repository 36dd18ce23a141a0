"""申込内容の確認: says beforehand whether an account procedure would be refused, and why."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from accounts.api.bank_accounts import ShownAccount
from accounts.api.tenants import Whose, policyholder_of
from accounts.rules.bank_accounts import SENTENCES, Refusal, refusal
from accounts.store import bank_accounts as store
from chassis.http import Body, Forbidden, Invalid, Routes, View
from chassis.sql import Database
from contracts.applications import AccountChange, AccountDeletion, AccountRegistration, AccountWish, Procedure
from contracts.caller import Caller
from contracts.permissions import Permission

routes = Routes(tag="accounts")


class RegistrationCheck(AccountRegistration, Body):
    """口座登録."""

    procedure: Literal[Procedure.ACCOUNT_REGISTRATION]


class ChangeCheck(AccountChange, Body):
    """口座情報変更."""

    procedure: Literal[Procedure.ACCOUNT_CHANGE]


class DeletionCheck(AccountDeletion, Body):
    """口座情報削除."""

    procedure: Literal[Procedure.ACCOUNT_DELETION]


Check = Annotated[RegistrationCheck | ChangeCheck | DeletionCheck, Field(discriminator="procedure")]


class Checked(View):
    """What would be decided at this moment; the decision itself falls when the procedure is carried out."""

    refusal: Refusal | None
    reason: str | None = Field(description="Japanese sentence for the user")
    bank_name: str | None
    branch_name: str | None
    account: ShownAccount | None = Field(description="the account that would be changed or deleted, as it is now")
    for_same_use: int = Field(description="live accounts registered for the same use (R204)")


@routes.post("/account-checks", needs=Permission.ADMINISTER, raises=[Forbidden, Invalid])
async def check_wish(body: Check, caller: Caller, database: Database) -> Checked:
    """Whether this wish would be refused, with the names of bank and branch for the confirmation screen."""
    code = policyholder_of(caller, Whose())
    standing = await store.standing(database, code, body)
    account_id: UUID | None = None if isinstance(body, RegistrationCheck) else body.account_id
    row = None if account_id is None else await store.one(database, code, account_id)
    refused = refusal(body, standing)
    return Checked(
        refusal=refused,
        reason=None if refused is None else SENTENCES[refused],
        bank_name=standing.bank_name,
        branch_name=standing.branch_name,
        account=None if row is None else ShownAccount(**row),
        for_same_use=await store.for_same_use(database, code, body.use) if isinstance(body, AccountWish) else 0,
    )
