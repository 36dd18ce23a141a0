"""Every change takes effect on its day, once, however many processes watch the clock and whenever they die."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from accounts.listeners.clock import apply_all_due, apply_due_changes
from chassis.service import Runtime
from chassis.sql import Database
from contracts.accounts import OperatorActed, ProfileChanged
from tests.accounts import messages
from tests.accounts.acts import profile_of
from tests.accounts.conftest import Gateway, Terminal
from tests.support.callers import administrator
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.processes import serving
from tests.support.unique import policyholder_code

TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date()


async def waiting(platform: Platform, ask: Gateway, code: str, **wish: Any) -> str:
    """A registered policyholder with a change that waits for the day after tomorrow; answers its number."""
    number = messages.number()
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    await platform.say("applications", messages.completed(code, number, effective=TOMORROW, **wish))
    await eventually(lambda: ask(administrator(code), "GET", "/profile/coming-changes"))
    return number


async def let_the_day_come(platform: Platform, *numbers: str) -> None:
    """As if it were the day of effect."""
    async with platform.owner("accounts") as owner:
        await owner.execute("update profile_changes set due_at = now() where number = any($1)", numbers)


@pytest.mark.requirement("P6")
async def test_a_change_waits_for_its_day_and_then_takes_effect(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    number = await waiting(platform, ask, code, name="明後日から")
    async with platform.owner("accounts") as owner:
        due = await owner.fetchval("select due_at from profile_changes where number = $1", number)
    assert due == datetime(TOMORROW.year, TOMORROW.month, TOMORROW.day, tzinfo=UTC) - timedelta(hours=9)
    assert (await ask(administrator(code), "GET", "/profile"))["profile"]["name"] == messages.HEAD["name"]
    async with platform.hears(ProfileChanged) as spy:
        await let_the_day_come(platform, number)
        said = await spy.next(policyholder_code=code)
    assert said["data"]["number"] == number and said["data"]["version"] == 2
    newest = await profile_of(ask, code, name="明後日から")
    assert newest["effective_date"] == TOMORROW.isoformat()
    assert await ask(administrator(code), "GET", "/profile/coming-changes") == []


async def test_a_newer_statement_before_the_day_keeps_the_change_for_its_day(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    number = await waiting(platform, ask, code, name="明後日から")
    await platform.nexi.publish(messages.restated(code, datetime.now(UTC), name="今日から", phone="33-3333-3333"))
    await profile_of(ask, code, name="今日から")
    await let_the_day_come(platform, number)
    await profile_of(ask, code, name="明後日から", phone="33-3333-3333")


@pytest.mark.requirement("P6")
async def test_a_change_is_not_lost_under_a_statement_of_a_clock_that_is_ahead(
    platform: Platform, ask: Gateway
) -> None:
    code, number, ahead = policyholder_code(), messages.number(), timedelta(minutes=30)
    await platform.nexi.publish(messages.registered(code))
    await profile_of(ask, code)
    await platform.nexi.publish(messages.restated(code, datetime.now(UTC) + ahead, phone="33-3333-3333"))
    await profile_of(ask, code, phone="33-3333-3333")
    await platform.say("applications", messages.completed(code, number, name="新名"))
    async with platform.owner("accounts") as owner:
        await eventually(lambda: owner.fetchval("select true from profile_changes where number = $1", number))
        await owner.execute(
            "update policyholders set stated_at = stated_at - $2::interval where code = $1", code, ahead
        )
        await owner.execute(
            "update profile_changes set due_at = due_at - $2::interval where number = $1", number, ahead
        )
    await profile_of(ask, code, name="新名", phone="33-3333-3333")


@pytest.mark.requirement("P6", "C-8")
async def test_two_processes_and_a_kill_in_the_middle_apply_every_change_once(apart: Platform) -> None:
    codes = [policyholder_code() for _ in range(60)]
    numbers = [messages.number() for _ in codes]
    async with serving(apart, "accounts") as first, serving(apart, "accounts"), apart.owner("accounts") as owner:
        async with apart.nexi as nexi:
            await nexi.publish(*(messages.registered(code) for code in codes))
        await eventually(lambda: _count(owner, "select count(*) = 60 from policyholders"))
        await owner.execute(
            """
                insert into profile_changes (number, policyholder_code, wish, effective_date, completed_at, due_at)
                select number, code, '{"wished_date": "2030-01-01", "name": "新名"}', '2030-01-01', now(), now()
                  from unnest($1::text[], $2::text[]) as new (number, code)
                """,
            numbers, codes,
        )  # fmt: skip
        await eventually(lambda: _count(owner, "select count(*) > 5 from profile_changes where version is not null"))
        first.child.kill()
        await eventually(lambda: _count(owner, "select count(*) = 60 from profile_changes where version = 2"))
        applied = await owner.fetch("select number from profiles where version > 1")
        assert sorted(row["number"] for row in applied) == sorted(numbers)


async def _count(owner: Database, question: str) -> bool:
    return bool(await owner.fetchval(question))


async def test_many_at_once_apply_each_change_once(platform: Platform, ask: Gateway) -> None:
    codes = [policyholder_code() for _ in range(5)]
    numbers = [await waiting(platform, ask, code, name="競争") for code in codes]
    async with platform.owner("accounts") as owner:
        rivals = [await Database.connect(platform.database("accounts"), source="accounts", size=2) for _ in range(4)]
        await let_the_day_come(platform, *numbers)
        applied = [number for found in await asyncio.gather(*map(apply_all_due, rivals)) for number in found]
        await eventually(lambda: owner.fetchval("select count(*) = 5 from profiles where number = any($1)", numbers))
        assert len(applied) == len(set(applied)) and set(applied) <= set(numbers)
        for rival in rivals:
            await rival.close()


async def test_a_change_that_cannot_be_applied_holds_up_nobody(
    platform: Platform, ask: Gateway, accounts: Runtime, client: aiohttp.ClientSession
) -> None:
    broken, sound = policyholder_code(), policyholder_code()
    bad, good = await waiting(platform, ask, broken, name="壊"), await waiting(platform, ask, sound, name="良")
    async with platform.owner("accounts") as owner:
        await owner.execute("update profile_changes set wish = '{}' where number = $1", bad)
        await let_the_day_come(platform, bad)
        await let_the_day_come(platform, good)
        await profile_of(ask, sound, name="良")
        assert await owner.fetchval("select applied_at is null from profile_changes where number = $1", bad)

        async def counted() -> bool:  # at the end of a round; other platforms' clocks in this process count here too
            async with client.get(f"{accounts.url}/metrics") as response:
                return "profile_changes_failing 1.0" in await response.text()

        await eventually(counted)
        await owner.execute("delete from profile_changes where number = $1", bad)


async def test_the_clock_outlives_a_database_that_is_away(platform: Platform, accounts: Runtime) -> None:
    away = await Database.connect(platform.database("accounts"), source="accounts", size=2)
    await away.close()
    clock = asyncio.create_task(apply_due_changes(away))
    await asyncio.wait({clock}, timeout=0.2)
    assert not clock.done()
    clock.cancel()


@pytest.mark.requirement("P6")
async def test_an_operator_sees_what_waits_and_applies_what_is_due(apart: Platform, terminal: Terminal) -> None:
    code, due, later = policyholder_code(), messages.number(), messages.number()
    async with apart.running("accounts") as runtime:
        await apart.nexi.publish(messages.registered(code))
        await eventually(lambda: runtime.database.fetchval("select true from profiles"))
        for number, day in ((due, TOMORROW), (later, date(9999, 12, 31))):
            await apart.say("applications", messages.completed(code, number, effective=day, name="操作員"))
        await eventually(lambda: runtime.database.fetchval("select count(*) = 2 from profile_changes"))
    await let_the_day_come(apart, due)
    status, out, _ = await terminal("changes", "list")
    assert status == 0 and due in out and later in out
    assert await terminal("changes", "apply") == (0, f"1 applied\n{due}\n", "")
    assert (await terminal("changes", "apply"))[:2] == (0, "0 applied\n")
    status, out, _ = await terminal("policyholder", code)
    assert status == 0 and "操作員" in out and due in out and later in out
    status, out, errors = await terminal("policyholder", "000000000")
    assert (status, out) == (1, "") and "no policyholder" in errors


@pytest.mark.requirement("P6")
async def test_an_operator_sees_why_a_change_fails_and_gives_it_up(apart: Platform, terminal: Terminal) -> None:
    code, broken, sound = policyholder_code(), messages.number(), messages.number()
    async with apart.running("accounts") as runtime, apart.owner("accounts") as owner:
        await apart.nexi.publish(messages.registered(code))
        await eventually(lambda: runtime.database.fetchval("select true from profiles"))
        for number in (broken, sound):
            await apart.say("applications", messages.completed(code, number, effective=TOMORROW, name="操作員"))
        await eventually(lambda: runtime.database.fetchval("select count(*) = 2 from profile_changes"))
        await owner.execute("update profile_changes set wish = '{}' where number = $1", broken)
        await let_the_day_come(apart, broken)
        failing = "select failure is not null from profile_changes where number = $1"
        await eventually(lambda: owner.fetchval(failing, broken))
        status, out, _ = await terminal("changes", "list")
        shown = {one["number"]: one["failure"] for one in json.loads(out)}
        assert (status, shown) == (0, {broken: "wished_date: Field required", sound: None})
        for number in (sound, "2015-0901-0001"):
            status, _, errors = await terminal("changes", "discard", number, "--by", "hanako")
            assert (status, errors) == (1, f"There is no change {number} that could not be applied.\n")
        async with apart.hears(OperatorActed) as spy:
            done = await terminal("changes", "discard", broken, "--by", "hanako")
            assert done == (0, f"{broken} discarded\n", "")
            said = (await spy.next(about=broken))["data"]
        assert (said["operator"]["user_id"], said["operator"]["policyholder_code"]) == ("operator:hanako", code)
        status, out, _ = await terminal("changes", "list")
        assert [one["number"] for one in json.loads(out)] == [sound]
        await let_the_day_come(apart, sound)
        await eventually(lambda: owner.fetchval("select version = 2 from profile_changes where number = $1", sound))
        assert await owner.fetchval("select applied_at is null from profile_changes where number = $1", broken)
