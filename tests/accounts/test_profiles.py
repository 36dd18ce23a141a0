"""The profile is what NEXI stated last; every user sees it, the administrator also how it came about."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from chassis.service import Runtime
from contracts.accounts import AccessRefused, ProfileChanged
from tests.accounts import messages
from tests.accounts.acts import profile_of
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, group_viewer
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

NOW = messages.NOW


@pytest.mark.requirement("R106", "R166", "R101", "N1")
async def test_registration_creates_a_profile_that_every_user_sees(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    async with platform.hears(ProfileChanged) as spy:
        await platform.nexi.publish(messages.registered(code))
        said = await spy.next(policyholder_code=code)
    assert said["data"]["version"] == 1 and said["data"]["profile"]["name"] == "株式会社見本商事"
    for caller in (administrator(code), applicant(code), group_viewer((code,))):
        shown = await ask(caller, "GET", "/profile")
        assert shown["policyholder_code"] == code and shown["version"] == 1
        assert shown["profile"] == messages.HEAD


@pytest.mark.requirement("R108", "R167", "F6")
async def test_a_branch_has_no_items_of_the_head_office(platform: Platform, ask: Gateway, accounts: Runtime) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code, **messages.BRANCH))
    shown = (await profile_of(ask, code))["profile"]
    assert shown["office"] == "branch"
    assert set(shown) == {"office", "name", "kana", "postal_code", "address", "phone"}
    change = messages.completed(
        code, phone="06-1111-1111", home_page="http://branch.example/", representative_name="太郎"
    )
    async with platform.hears(ProfileChanged) as spy:
        await platform.say("applications", change)
        said = await spy.next(policyholder_code=code, version=2)
    assert said["data"]["profile"]["phone"] == "06-1111-1111"
    assert said["data"]["profile"]["home_page"] is None and said["data"]["profile"]["representative_name"] is None


@pytest.mark.requirement("R107", "R71")
async def test_history_and_coming_changes_are_for_the_administrator(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    async with platform.hears(AccessRefused) as spy:
        for path in ("/profile/history", "/profile/coming-changes", "/account-history"):
            await ask(applicant(code), "GET", path, status=403)
            await ask(group_viewer((code,)), "GET", path, status=403)
            said = await spy.next(method="GET", path=path)
            assert said["data"]["operator"]["user_id"] == f"{code}001" and said["data"]["reason"] == "Forbidden"
    await ask(None, "GET", "/profile", status=401)
    await ask(administrator(code, stepped_up=False), "GET", "/profile", status=403)


async def test_nobody_sees_the_profile_of_another_policyholder(platform: Platform, ask: Gateway) -> None:
    mine, other, third = policyholder_code(), policyholder_code(), policyholder_code()
    await platform.nexi.publish(messages.registered(mine), messages.registered(other, name="他社"))
    await profile_of(ask, mine)
    await profile_of(ask, other)
    for path in ("/profile", "/accounts", "/profile/history", "/account-history"):
        await ask(administrator(mine), "GET", path, policyholder_code=other, status=403)
    viewer = group_viewer((mine, other))
    await ask(viewer, "GET", "/profile", policyholder_code=third, status=403)
    refused = await ask(viewer, "GET", "/profile", status=422)
    assert refused["errors"][0]["field"] == "query.policyholder_code"
    assert (await ask(viewer, "GET", "/profile", policyholder_code=other))["profile"]["name"] == "他社"
    await ask(administrator(third), "GET", "/profile", status=404)


async def test_of_two_statements_the_later_issued_counts_in_any_order(platform: Platform, ask: Gateway) -> None:
    orders = list(permutations(range(3)))
    codes = [policyholder_code() for _ in orders]
    for code, order in zip(codes, orders, strict=True):
        said = [
            messages.registered(code, NOW - timedelta(days=3), name="最初"),
            messages.restated(code, NOW - timedelta(days=2), name="中間"),
            messages.restated(code, NOW - timedelta(days=1), name="最後"),
        ]
        await platform.nexi.publish(*(said[place] for place in order))
    for code in codes:
        await profile_of(ask, code, name="最後")


async def test_a_policyholder_registered_again_is_stated_anew(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    await platform.nexi.publish(
        messages.registered(code, NOW - timedelta(days=9)),
        messages.registered(code, NOW - timedelta(days=8), name="再登録"),
        messages.registered(code, NOW - timedelta(days=10), name="古い登録"),
    )
    newest = await profile_of(ask, code, name="再登録")
    assert (newest["version"], newest["source"]) == (2, "nexi")


async def test_a_statement_from_the_future_is_parked_and_changes_nothing(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    [event] = await platform.nexi.publish(
        messages.restated(code, datetime.now(UTC) + timedelta(days=9000), name="未来")
    )

    reason = await eventually(lambda: accounts.database.fetchval("select reason from parked where id = $1", event))
    assert "future" in reason
    await platform.nexi.publish(messages.restated(code, datetime.now(UTC), name="現在"))
    await profile_of(ask, code, name="現在")


async def test_the_history_is_given_in_pages(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code, NOW - timedelta(days=9)))
    await platform.nexi.publish(
        *(messages.restated(code, NOW - timedelta(days=8 - n), name=f"第{n}版") for n in range(5))
    )
    await profile_of(ask, code, name="第４版")
    first = await ask(administrator(code), "GET", "/profile/history", limit=2)
    second = await ask(administrator(code), "GET", "/profile/history", limit=2, before=first["next"])
    versions = [one["version"] for one in first["items"] + second["items"]]
    assert versions == sorted(versions, reverse=True) and len(set(versions)) == 4
    for wrong in ({"before": 0}, {"before": 2**31}, {"limit": 201}, {"limit": "x"}, {"page": 1}):
        await ask(administrator(code), "GET", "/profile/history", status=422, **wrong)
