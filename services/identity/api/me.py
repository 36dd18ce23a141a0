"""One's own data: the header of every page and Webユーザー情報照会 (R10, R11, R18, R94, R99)."""

from datetime import datetime

from pydantic import Field

from chassis.http import Routes, View
from chassis.sql import Database
from contracts.caller import Caller
from contracts.permissions import ApplicationData, ContractData, Entry, Permission, Role
from identity.api.problems import SessionEnded
from identity.settings import IdentitySettings
from identity.store import companies, sessions, users

routes = Routes(tag="me")


class OneTimePassword(View):
    """ワンタイムパスワード of this session."""

    in_use: bool = Field(description="the policyholder uses it (R323)")
    entered: bool = Field(description="in this session (R332)")


class Me(View):
    """Who is logged in, as of now."""

    user_id: str
    role: Role
    name: str
    email: str
    phone: str
    department: str
    title: str
    policyholder_code: str
    policyholder_name: str
    policyholder_codes: list[str] = Field(description="several for a group viewer (R91)")
    entry: Entry
    contract_data: ContractData
    application_data: ApplicationData
    rider_codes: list[str] = Field(description="those in effect under listed_riders (W5)")
    may: list[Permission]
    last_login_at: datetime | None = Field(description="最終ログイン日時: the login before this one (L2)")
    logged_in_at: datetime
    session_expires_at: datetime = Field(description="absolute limit (L3)")
    one_time_password: OneTimePassword


@routes.get("/me", needs=Permission.USE, step_up=False, raises=[SessionEnded])
async def show_me(caller: Caller, database: Database, settings: IdentitySettings) -> Me:
    """One's own data."""
    session = await sessions.alive(database, caller.session_id, settings.session_idle, settings.session_most)
    user = await users.find(database, caller.operator.user_id)
    if session is None or user is None:
        raise SessionEnded
    company = await companies.find(database, user.policyholder_code)
    assert company is not None
    own = user.model_dump(exclude={"rider_codes", "last_login_at"})
    return Me(
        **own,
        policyholder_name=company.name,
        policyholder_codes=list(user.companies),
        rider_codes=list(caller.rider_codes),
        may=sorted(caller.may),
        last_login_at=session["last_login_at"],
        logged_in_at=session["began_at"],
        session_expires_at=session["began_at"] + settings.session_most,
        one_time_password=OneTimePassword(
            in_use=await companies.any_uses_one_time_password(database, user.companies),
            entered=session["stepped_up_at"] is not None,
        ),
    )
