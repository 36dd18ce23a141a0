"""What several tests of accounts do: say something and wait for what becomes of it."""

from typing import Any

from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused
from contracts.applications import AccountProcedureSubmitted
from tests.accounts import messages
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator
from tests.support.eventually import eventually
from tests.support.platform import Platform, Spy

ANSWERS = (AccountProcedureApplied, AccountProcedureRefused)


async def decided(platform: Platform, event: AccountProcedureSubmitted) -> dict[str, Any]:
    """Say it and wait for the answer."""
    async with platform.hears(*ANSWERS) as spy:
        await platform.say("applications", event)
        return await spy.next(number=event.number)


async def registered(platform: Platform, ask: Gateway, code: str, **differing: Any) -> dict[str, Any]:
    """An account of a policyholder, as it is listed."""
    said = await decided(platform, messages.registration(code, **differing))
    assert said["type"] == AccountProcedureApplied.wire_type(), said
    return await ask(administrator(code), "GET", f"/accounts/{said['data']['account_id']}")


def reason(said: dict[str, Any]) -> str:
    """Why it was refused."""
    assert said["type"] == AccountProcedureRefused.wire_type(), said
    return said["data"]["reason"]


def about(spy: Spy, number: str) -> list[Any]:
    """The envelopes about an application that nobody has taken yet."""
    return [one for one in spy.seen if one["data"]["number"] == number]


async def profile_of(ask: Gateway, code: str, **items: Any) -> dict[str, Any]:
    """The profile, as soon as it has these items."""
    caller = administrator(code)

    async def as_expected() -> Any:
        said = await ask(caller, "GET", "/profile/history", limit=1)
        found = said["items"]
        return found[0] if found and items.items() <= found[0]["profile"].items() else None

    return await eventually(as_expected)
