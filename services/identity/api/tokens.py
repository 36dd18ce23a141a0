"""Access tokens: what a session may do now, signed, for five minutes."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.revocations import TOKEN_LIFE
from chassis.sql import Reader
from chassis.tokens import AUDIENCE, ISSUER
from contracts.caller import Caller
from identity.keyring import Keyring
from identity.rules.permissions import effective_riders, may
from identity.store import companies, users
from identity.store.companies import Company
from identity.store.users import User


@dataclass(frozen=True, slots=True)
class Minted:
    """A signed token, whom it speaks for, and when it lapses."""

    token: str
    caller: Caller
    expires_at: datetime


async def mint(reader: Reader, keyring: Keyring, session: Any) -> Minted | None:
    """A token for a living session (a row of `sessions.touch`); None when its user may not use it any more.

    Rights and their versions are read from the same rows, so a token never carries old rights with a new version.
    """
    user = await users.find(reader, session["user_id"])
    if user is None or not user.enabled:
        return None
    known = await companies.find_all(reader, {user.policyholder_code, *user.companies})
    caller = caller_of(user, known, session)
    now = time.time()
    lapses = now + min(TOKEN_LIFE.total_seconds(), session["seconds_left"])
    versions = {
        f"session:{caller.session_id}": 0,
        f"user:{user.user_id}": user.rights_version,
        **{f"policyholder:{one.policyholder_code}": one.rights_version for one in known},
    }
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user.user_id,
        "iat": int(now),
        "exp": int(lapses),
        "caller": caller.model_dump(mode="json"),
        "versions": versions,
    }
    return Minted(await keyring.sign(claims), caller, datetime.fromtimestamp(int(lapses), UTC))


def caller_of(user: User, known: list[Company], session: Any) -> Caller:
    """What the session may do now, by the user's rights and the companies' settings."""
    own = next(one for one in known if one.policyholder_code == user.policyholder_code)
    riders = effective_riders(
        user.rights, uses_comprehensive=own.uses_comprehensive_insurance, company_codes=own.rider_codes
    )
    gated = any(one.uses_one_time_password for one in known if one.policyholder_code in user.companies)
    return Caller(
        operator=user.operator,
        policyholder_codes=user.companies,
        role=user.role,
        entry=user.entry,
        contract_data=user.contract_data,
        application_data=user.application_data,
        rider_codes=riders,
        may=may(user.role, user.rights, effective=riders, must_change_password=session["restricted"]),
        stepped_up=not gated or session["stepped_up_at"] is not None,
        session_id=session["session_id"],
    )
