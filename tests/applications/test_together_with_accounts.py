"""With accounts running, account procedures are reflected within the request and profile changes come back (P6, P7)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.service import Runtime
from contracts.nexi import PolicyholderRegistered
from tests.applications.everybody import accounts_running
from tests.applications.fronts import ACCOUNT, Front, completed, profile, today
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

WISH = ACCOUNT | {"bank_code": "9985", "branch_code": "101"}


@pytest.fixture(scope="module")
async def accounts(platform: Platform) -> AsyncIterator[Runtime]:
    """The real accounts service with its demo banks, for this module alone."""
    async with accounts_running(platform) as runtime:
        yield runtime


@pytest.fixture
async def company(platform: Platform, accounts: Runtime, front: Any, administrator: Front, code: str) -> Front:
    """The administrator's front end at accounts; NEXI has registered the policyholder."""
    issued_at = datetime.now(UTC) - timedelta(days=1)
    await platform.nexi.publish(
        PolicyholderRegistered(issued_at=issued_at, policyholder_code=code, profile=profile(), terms_agreed=False)
    )

    async def known() -> bool:
        wish = {"wished_date": today(), "name": "新しい名前"}
        return (await administrator.confirm("policyholder_change", wish)).status == 201

    await eventually(known)
    made: Front = front(callers.administrator(code), accounts.url)
    return made


async def listed(company: Front) -> list[Any]:
    """The accounts of the policyholder."""
    rows: list[Any] = (await company.ask("GET", "/accounts")).body
    return rows


@pytest.mark.requirement("R214", "R230", "R231", "R236", "R237", "P7")
async def test_registration_change_and_deletion_are_there_when_they_are_answered(
    administrator: Front, company: Front
) -> None:
    sent = await administrator.submit(await administrator.draft("account_registration", WISH))
    assert (sent.status, sent.body["state"]) == (200, "completed"), sent
    (account,) = await listed(company)
    assert (account["id"], account["account_number"]) == (sent.body["account_id"], "1234567")
    again = await administrator.submit(await administrator.draft("account_registration", WISH))
    assert (again.status, again.body["state"]) == (200, "rejected")
    assert again.body["message"] == "同じ口座が同じ利用区分ですでに登録されています。"
    named = {"account_id": account["id"], "account_version": account["version"]}
    draft = await administrator.draft("account_change", WISH | named | {"account_number": "7654321"})
    changed = await administrator.submit(draft, acknowledged=True)
    assert (changed.status, changed.body["state"]) == (200, "completed"), changed
    (account,) = await listed(company)
    assert account["account_number"] == "7654321"
    stale = await administrator.submit(await administrator.draft("account_deletion", named), acknowledged=True)
    assert (stale.status, stale.body["state"]) == (200, "rejected")
    named["account_version"] = account["version"]
    gone = await administrator.submit(await administrator.draft("account_deletion", named), acknowledged=True)
    assert (gone.status, gone.body["state"]) == (200, "completed"), gone
    assert await listed(company) == []


@pytest.mark.requirement("R204", "R205", "R208", "R209", "R219", "R232", "F5")
async def test_an_account_is_registered_once_for_each_use_and_only_with_a_bank_of_the_list(
    administrator: Front, company: Front
) -> None:
    for use in ("premium_refund", "claim_payment"):
        draft = await administrator.draft("account_registration", WISH | {"use": use})
        sent = (await administrator.submit(draft)).body
        assert (sent["state"], sent["number"], sent["procedure_label"]) == ("completed", draft["number"], "口座登録")
    assert {one["use"] for one in await listed(company)} == {"premium_refund", "claim_payment"}
    for unknown in ({"bank_code": "0000"}, {"branch_code": "000"}):
        draft = await administrator.draft("account_registration", WISH | unknown | {"account_number": "7777777"})
        sent = (await administrator.submit(draft)).body
        assert sent["state"] == "rejected"
        assert "一覧から選択し直すか、NEXIにご相談ください" in sent["reason"]
    assert len(await listed(company)) == 2


@pytest.mark.requirement("P7", "P1")
async def test_parallel_submits_of_one_registration_register_one_account(administrator: Front, company: Front) -> None:
    draft = await administrator.draft("account_registration", WISH)
    replies = await asyncio.gather(*(administrator.submit(draft) for _ in range(32)))
    assert {(reply.status, reply.body["state"]) for reply in replies} == {(200, "completed")}
    assert len(await listed(company)) == 1


@pytest.mark.requirement("R198", "R202", "P6")
async def test_a_completed_change_of_the_profile_is_in_force_and_compared_with(
    platform: Platform, administrator: Front, company: Front
) -> None:
    sent = await administrator.submitted("policyholder_change", {"wished_date": today(), "name": "新商事"})
    draft = await administrator.draft("policyholder_change", {"wished_date": today(), "name": "さらに新商事"})
    path = f"/applications/{draft['number']}/changes"
    assert (await administrator.ask("GET", path)).body[0]["now"] == "見本商事株式会社"
    await platform.nexi.publish(completed(sent["number"]))

    async def in_force() -> bool:
        return bool((await administrator.ask("GET", path)).body[0]["now"] == "新商事")

    await eventually(in_force)
    compared = (await administrator.ask("GET", f"/applications/{sent['number']}/changes")).body[0]
    assert (compared["now"], compared["wished"]) == ("見本商事株式会社", "新商事")
