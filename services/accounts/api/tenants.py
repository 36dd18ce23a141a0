"""Whose data a caller asks for."""

from accounts.rules.tenants import looked_at
from chassis.http import Body, Forbidden, Invalid
from contracts import fields
from contracts.caller import Caller


class Whose(Body):
    """A group viewer names one of the codes that were granted; everybody else need not say anything."""

    policyholder_code: fields.PolicyholderCode | None = None


def policyholder_of(caller: Caller, query: Whose) -> str:
    """The policyholder that is looked at. Raises Forbidden for one that is not the caller's."""
    code = looked_at(caller, query.policyholder_code)
    if code is not None:
        return code
    if query.policyholder_code is None and caller.policyholder_codes:
        raise Invalid.field("query.policyholder_code", "missing", "参照する保険利用者コードを指定してください。")
    raise Forbidden
