"""Whether a content is what its procedure asks for, as refusals that name the field."""

from typing import Any

import pydantic_core
from pydantic import ValidationError

from applications.api.refusals import ProfileUnknown
from applications.rules.contents import MOST_BYTES
from applications.rules.faults import Facts
from applications.rules.procedures import Kind
from applications.rules.times import japan_day
from applications.settings import Clock
from applications.store import profiles
from chassis.http import FieldError, Invalid, field_errors
from chassis.sql import Reader
from contracts.applications import Procedure
from contracts.nexi import Profile


async def facts_of(reader: Reader, kind: Kind, policyholder_code: str, clock: Clock) -> Facts:
    """What the procedure's rules may look at. Raises ProfileUnknown when it needs the profile and there is none."""
    if kind.key != Procedure.POLICYHOLDER_CHANGE:
        return Facts(japan_day(clock.now()), None)
    profile = await profiles.in_force(reader, policyholder_code)
    if profile is None:
        raise ProfileUnknown
    return Facts(japan_day(clock.now()), Profile.model_validate(profile))


def checked(kind: Kind, content: dict[str, Any], facts: Facts, place: str) -> dict[str, Any]:
    """The content, normalised. Raises Invalid with every broken rule; `place` is where the content stands."""
    as_json = pydantic_core.to_json(content)
    if len(as_json) > MOST_BYTES:
        raise Invalid.field(place, "too_large", f"入力内容は{MOST_BYTES // 1024}KiB以内にしてください。")
    if kind.wish is None:
        return content
    try:
        wish = kind.wish.model_validate_json(as_json, strict=True)
    except ValidationError as error:
        raise Invalid(field_errors(place, error)) from None
    faults = kind.faults(wish, facts) if kind.faults else []
    if faults:
        raise Invalid([FieldError(field=f"{place}.{one.field}", rule=one.rule, message=one.message) for one in faults])
    normalised: dict[str, Any] = wish.model_dump(mode="json", exclude_none=True)
    return normalised
