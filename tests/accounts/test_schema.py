"""Generated requests of every role find no 5xx, no undocumented answer, nothing of another policyholder (B-1)."""

import asyncio
import secrets
from typing import Any

import pytest
from schemathesis import GenerationMode

from accounts.service import service
from chassis.service import Runtime
from contracts.caller import Caller
from tests.accounts import messages
from tests.accounts.acts import profile_of, registered
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, group_viewer, operator
from tests.support.generated import Case, probe
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

OPERATIONS = sum(len(list(routes)) for routes in service.routes)


@pytest.mark.chaos
@pytest.mark.requirement("B-1")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
@pytest.mark.parametrize("role", ["anonymous", "applicant", "stranger", "viewer", "operator", "owner"])
async def test_generated_requests_are_answered_as_documented(
    platform: Platform, ask: Gateway, accounts: Runtime, role: str, mode: GenerationMode
) -> None:
    code, other, mine = policyholder_code(), policyholder_code(), f"見本{secrets.token_hex(8)}"
    await platform.nexi.publish(messages.registered(code, name=mine), messages.registered(other))
    await profile_of(ask, code)
    account = await registered(platform, ask, code, holder=mine)
    callers: dict[str, Caller] = {
        "applicant": applicant(other),
        "stranger": administrator(other),
        "viewer": group_viewer((other,)),
        "operator": operator(),
        "owner": administrator(code),
    }

    def at_mine(case: Case) -> None:
        if "account_id" in case.path_parameters:
            case.path_parameters["account_id"] = account["id"]
        if case.query:
            case.query |= {"policyholder_code": code} if "policyholder_code" in case.query else {}
        if isinstance(case.body, dict) and "account_id" in case.body:
            case.body["account_id"] = account["id"]

    headers = platform.headers(callers[role]) if role in callers else {}
    secret = None if role == "owner" else account["holder"]
    probed = await asyncio.to_thread(lambda: list(probe(accounts.url, headers, mode, at_mine, secret)))
    assert len(probed) == OPERATIONS
    everything: dict[str, Any] = await ask(administrator(code), "GET", "/account-history")
    assert [one["account"]["holder"] for one in everything["items"]] == [account["holder"]]
