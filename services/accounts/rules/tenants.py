"""Whose data somebody may look at; the answer comes from the token alone."""

from contracts.caller import Caller


def looked_at(caller: Caller, asked: str | None) -> str | None:
    """The policyholder that a caller looks at; None when it is not theirs, or when several are and none was named.

    A group viewer names one of the codes that were granted (R91); for everybody else there is but one.
    """
    granted = caller.policyholder_codes
    if asked is None:
        return granted[0] if len(granted) == 1 else None
    return asked if asked in granted else None
