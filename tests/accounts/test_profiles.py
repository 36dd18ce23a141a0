"""The profile in force is the same whatever the order in which statements and changes are heard."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from chassis.amqp import parked
from chassis.service import Runtime
from contracts.accounts import AccessRefused, ProfileChanged
from tests.accounts import messages
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, group_viewer
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

NOW = messages.NOW


async def profile_of(ask: Gateway, code: str, **items: Any) -> dict[str, Any]:
    """The profile, as soon as it has these items."""
    caller = administrator(code)

    async def as_expected() -> Any:
        said = await ask(caller, "GET", "/profile/history", limit=1)
        found = said["items"]
        return found[0] if found and items.items() <= found[0]["profile"].items() else None

    return await eventually(as_expected)


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


@pytest.mark.requirement("R170", "P6")
async def test_a_completed_change_takes_what_was_wished_and_leaves_the_rest(platform: Platform, ask: Gateway) -> None:
    code, number = policyholder_code(), messages.number()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    async with platform.hears(ProfileChanged) as spy:
        await platform.say("applications", messages.completed(code, number, name="株式会社新見本", home_page=""))
        said = await spy.next(policyholder_code=code, number=number)
    assert said["data"]["version"] == 2
    assert said["data"]["profile"] == messages.HEAD | {"name": "株式会社新見本", "home_page": ""}
    newest = await profile_of(ask, code, name="株式会社新見本")
    assert (newest["source"], newest["number"], newest["version"]) == ("application", number, 2)
    assert newest["effective_date"] == datetime.now(UTC).date().isoformat()


async def test_a_statement_issued_before_a_change_took_effect_does_not_undo_it(
    platform: Platform, ask: Gateway
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code, NOW - timedelta(days=10)))
    await profile_of(ask, code)
    done = NOW - timedelta(days=3)
    await platform.say(
        "applications", messages.completed(code, completed_at=done, effective=done.date(), name="変更後")
    )
    await profile_of(ask, code, name="変更後")
    await platform.nexi.publish(messages.restated(code, NOW - timedelta(days=5), name="古い", phone="22-2222-2222"))
    await profile_of(ask, code, name="変更後", phone="22-2222-2222")
    await platform.nexi.publish(messages.restated(code, NOW - timedelta(days=1), name="新しい"))
    await profile_of(ask, code, name="新しい", phone="11-1111-1111")


@pytest.mark.requirement("C-8", "P6")
async def test_a_completion_said_64_times_changes_the_profile_once(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code, number = policyholder_code(), messages.number()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    moment = datetime.now(UTC)
    said = [messages.completed(code, number, completed_at=moment, name="一度だけ") for _ in range(64)]
    async with platform.running("accounts"), platform.hears(ProfileChanged) as spy:
        ids = await platform.say("applications", *said)
        await platform.say("applications", *said, ids=ids)
        await profile_of(ask, code, name="一度だけ")
        await eventually(lambda: _heard(accounts, ids))
    assert [one for one in spy.seen if one["data"]["policyholder_code"] == code and one["data"]["version"] > 2] == []
    assert (await profile_of(ask, code))["version"] == 2


@pytest.mark.requirement("P6")
async def test_a_completion_before_the_registration_waits_for_it(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.say("applications", messages.completed(code, name="早い完了"))
    await eventually(
        lambda: accounts.database.fetchval("select true from parked where key = $1", f"policyholder:{code}")
    )
    await platform.nexi.publish(messages.registered(code, NOW - timedelta(days=10)))
    await profile_of(ask, code, name="早い完了")
    assert (await profile_of(ask, code))["version"] == 2


async def test_a_statement_from_the_future_is_parked_and_changes_nothing(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    [event] = await platform.nexi.publish(
        messages.restated(code, datetime.now(UTC) + timedelta(days=9000), name="未来")
    )

    async def is_parked() -> Any:
        return [one for one in await parked.listing(accounts.database) if one["id"] == event]

    assert "future" in (await eventually(is_parked))[0]["reason"]
    await platform.nexi.publish(messages.restated(code, datetime.now(UTC), name="現在"))
    await profile_of(ask, code, name="現在")


async def test_a_completion_that_cannot_be_read_is_parked_without_its_values(
    platform: Platform, accounts: Runtime
) -> None:
    code = policyholder_code()
    [event] = await platform.say("applications", messages.completed(code, phone="まちがい"))

    async def is_parked() -> Any:
        return [one for one in await parked.listing(accounts.database) if one["id"] == event]

    reason = (await eventually(is_parked))[0]["reason"]
    assert "phone" in reason and "まちがい" not in reason


@pytest.mark.requirement("P6", "F4")
async def test_a_change_of_the_far_future_waits_and_is_shown(platform: Platform, ask: Gateway) -> None:
    code, number = policyholder_code(), messages.number()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    await platform.say(
        "applications",
        messages.completed(code, number, effective=date(9999, 12, 31), name="遠い将来", address="新住所"),
    )

    async def coming() -> Any:
        return await ask(administrator(code), "GET", "/profile/coming-changes")

    [waiting] = await eventually(coming)
    assert waiting["number"] == number and waiting["effective_date"] == "9999-12-31"
    assert waiting["wish"]["name"] == "遠い将来" and waiting["wish"]["phone"] is None
    assert (await ask(administrator(code), "GET", "/profile"))["version"] == 1


async def _heard(accounts: Runtime, ids: list[Any]) -> bool:
    return await accounts.database.fetchval("select count(*) from inbox where id = any($1)", ids) == len(ids)


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
