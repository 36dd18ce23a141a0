"""Whose applications a caller may see (P4), and which procedures are only for the administrator (P3)."""

from dataclasses import dataclass

from applications.rules.procedures import Kind
from contracts.caller import Caller
from contracts.permissions import ApplicationData, Permission


@dataclass(frozen=True)
class Scope:
    """The applications of these policyholders; of this user only, and of this session only, unless None."""

    codes: tuple[str, ...]
    user_id: str | None
    session_id: str | None


def scope_of(caller: Caller) -> Scope:
    """By the application-data axis. With `none`, the sitting that is going on is all that there is (P4)."""
    codes = caller.policyholder_codes or (caller.operator.policyholder_code,)
    user_id = caller.operator.user_id
    if caller.application_data is ApplicationData.ALL:
        return Scope(codes, None, None)
    if caller.application_data is ApplicationData.OWN:
        return Scope(codes, user_id, None)
    return Scope(codes, user_id, caller.session_id)


def may_handle(caller: Caller, kind: Kind) -> bool:
    """Whether the caller may do more with this procedure than look at it."""
    return not kind.administrator_only or Permission.ADMINISTER in caller.may
