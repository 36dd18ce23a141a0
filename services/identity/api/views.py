"""What a front end is told about a session that began."""

from datetime import datetime
from typing import Any

from pydantic import Field

from chassis.http import View
from contracts.permissions import Role
from identity.api.openings import Opened
from identity.settings import IdentitySettings


class Session(View):
    """A session that just began. The token is shown this once; the front end keeps it from everybody."""

    session_token: str = Field(description="opaque, for X-Session-Token; never for a browser's scripts")
    session_id: str = Field(description="public handle, as lists of sessions show it")
    user_id: str
    role: Role
    name: str
    policyholder_code: str
    policyholder_name: str
    last_login_at: datetime | None = Field(description="最終ログイン日時: the successful login before this one (L2)")
    password_change_required: bool = Field(description="nothing else is possible before the password is changed (L5)")
    one_time_password_required: bool = Field(description="most menus are closed until it is entered (O2)")
    expires_at: datetime = Field(description="absolute limit (L3)")
    idle_seconds: int = Field(description="the session ends after this long without an access token being taken (L3)")
    in_force_from: datetime | None = Field(
        None, description="what this ended is ended everywhere from then on; null: it is already (L9)"
    )


def session_view(
    settings: IdentitySettings,
    opened: Opened,
    known: Any,
    *,
    restricted: bool,
    stepped_up: bool,
    last_login_at: datetime | None,
    in_force_from: datetime | None,
) -> Session:
    """The view of a session that was committed; `known`: a row of `logins.candidate`."""
    return Session(
        session_token=opened.token,
        session_id=opened.session_id,
        user_id=known["user_id"],
        role=Role(known["role"]),
        name=known["name"],
        policyholder_code=known["policyholder_code"],
        policyholder_name=known["company"],
        last_login_at=last_login_at,
        password_change_required=restricted,
        one_time_password_required=known["gated"] and not stepped_up,
        expires_at=opened.began_at + settings.session_most,
        idle_seconds=int(settings.session_idle.total_seconds()),
        in_force_from=in_force_from,
    )
