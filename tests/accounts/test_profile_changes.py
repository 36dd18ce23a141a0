"""Completed changes and statements lead to the same profile in whatever order they are heard, each once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.listeners.partner import change
from chassis.service import Runtime
from contracts.accounts import ProfileChanged
from tests.accounts import messages
from tests.accounts.acts import profile_of
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

NOW = messages.NOW


@pytest.mark.requirement("R170", "P6")
async def test_a_completed_change_takes_what_was_wished_and_leaves_the_rest(platform: Platform, ask: Gateway) -> None:
    code, number = policyholder_code(), messages.number()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    async with platform.hears(ProfileChanged) as spy:
        event = messages.completed(code, number, name="株式会社新見本", home_page="")
        await platform.say("applications", event)
        said = await spy.next(policyholder_code=code, number=number)
    assert said["data"]["version"] == 2
    assert said["data"]["profile"] == messages.HEAD | {"name": "株式会社新見本", "home_page": ""}
    newest = await profile_of(ask, code, name="株式会社新見本")
    assert (newest["source"], newest["number"], newest["version"]) == ("application", number, 2)
    assert newest["effective_date"] == event.content["wished_date"]


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
    key = f"policyholder:{code}"
    await eventually(lambda: accounts.database.fetchval("select true from parked where key = $1", key))
    # Its next try would be long after the test; only the registration can wake it.
    async with platform.owner("accounts") as owner:
        await owner.execute("update parked set next_try_at = now() + interval '1 day' where key = $1", key)
    await platform.nexi.publish(messages.registered(code, NOW - timedelta(days=10)))
    await profile_of(ask, code, name="早い完了")
    assert (await profile_of(ask, code))["version"] == 2


async def test_a_completion_of_another_procedure_changes_no_profile(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    other = messages.completed(code, procedure="account_registration", name="別手続き")
    [event_id] = await platform.say("applications", other)
    await eventually(lambda: accounts.database.fetchval("select true from inbox where id = $1", event_id))
    assert (await profile_of(ask, code))["version"] == 1


async def test_a_completion_that_cannot_be_read_is_parked_without_its_values(
    platform: Platform, accounts: Runtime
) -> None:
    code = policyholder_code()
    [event] = await platform.say("applications", messages.completed(code, phone="まちがい"))

    reason = await eventually(lambda: accounts.database.fetchval("select reason from parked where id = $1", event))
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


async def test_statements_heard_at_the_same_moment_do_not_overwrite_each_other(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    await platform.nexi.publish(messages.registered(code, NOW - timedelta(days=9)))
    await profile_of(ask, code)

    async def hear(day: int, name: str) -> None:
        async with accounts.database.transaction() as tx:
            await change(messages.restated(code, NOW - timedelta(days=day), name=name), tx)

    async with asyncio.TaskGroup() as tasks, platform.owner("accounts") as owner, owner.transaction() as tx:
        await tx.execute("select from policyholders where code = $1 for update", code)
        for day, name in ((1, "新しい"), (5, "古い")):
            tasks.create_task(hear(day, name))
            await asyncio.sleep(0.2)  # both have begun and wait for the row, the newer one in front
    assert (await profile_of(ask, code))["profile"]["name"] == "新しい"
