"""The one-time password: all applications are behind it, but those of the menu that is free of it (R327, O3)."""

from datetime import datetime

from applications.rules.procedures import Kind
from applications.rules.scopes import scope_of
from applications.store import applications
from chassis.http import StepUpRequired
from chassis.sql import Reader
from contracts.caller import Caller


def demand_for(caller: Caller, kind: Kind | None) -> None:
    """Raise StepUpRequired when this procedure (None: one that nobody may know of yet) needs the one-time password."""
    if not caller.stepped_up and (kind is None or not kind.exempt):
        raise StepUpRequired


async def demand(reader: Reader, caller: Caller, number: str, now: datetime) -> None:
    """The same for an application, before anything else is said of it, an earlier answer too."""
    if not caller.stepped_up:
        found = await applications.visible(reader, scope_of(caller), number, now)
        demand_for(caller, None if found is None else found.kind)
