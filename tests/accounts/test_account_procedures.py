"""An account procedure is carried out once, or refused with a reason, whatever else happens at the same time."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.service import Runtime
from contracts.accounts import AccountProcedureApplied, Use
from contracts.actions import Operator
from contracts.applications import Procedure
from tests.accounts import messages
from tests.accounts.acts import ANSWERS, about, decided, reason, registered
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.processes import run, serving
from tests.support.unique import policyholder_code


@pytest.mark.requirement("R205", "F5")
async def test_one_account_for_both_uses_is_registered_twice(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    await registered(platform, ask, code)
    await registered(platform, ask, code, use=Use.CLAIM_PAYMENT)
    await registered(platform, ask, code, deposit_type="current")
    refused = reason(await decided(platform, messages.registration(code, holder="別名義")))
    assert refused == "同じ口座が同じ利用区分ですでに登録されています。"
    await registered(platform, ask, policyholder_code())
    assert len(await ask(administrator(code), "GET", "/accounts")) == 3


@pytest.mark.requirement("R216", "R223", "R230", "R231")
async def test_a_change_replaces_the_account_and_its_fixed_date(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    account = await registered(platform, ask, code)
    async with platform.owner("accounts") as owner:
        await owner.execute("update bank_accounts set fixed_date = '2001-01-01' where id = $1", UUID(account["id"]))
    event = messages.change(code, account, bank_code="9998", branch_code="101", account_number="7654321")
    said = await decided(platform, event)
    assert said["data"]["account_id"] == account["id"]
    [changed] = await ask(administrator(code), "GET", "/accounts")
    assert changed == account | {
        "version": 2, "bank_code": "9998", "bank_name": "日本見本銀行", "branch_code": "101", "branch_name": "東京支店",
        "account_number": "7654321",
    }  # fmt: skip


@pytest.mark.requirement("F5", "R208", "R219")
@pytest.mark.parametrize(
    ("differing", "word"),
    [
        ({"bank_code": "0000"}, "取引先金融機関"),
        ({"branch_code": "000"}, "取引先支店"),
        ({"bank_code": "9998", "branch_code": "999"}, "取引先支店"),
        ({"bank_code": "999９"}, "誤り"),
        ({"account_number": "123456"}, "誤り"),
        ({"account_number": "12345678"}, "誤り"),
        ({"account_number": "１２３４５６７"}, "誤り"),
        ({"deposit_type": "savings"}, "誤り"),
        ({"use": "premium_deduction"}, "誤り"),
        ({"holder": ""}, "誤り"),
        ({"holder": "あ" * 51}, "誤り"),
        ({"holder": "見本\u202e商事"}, "誤り"),
        ({"holder": "見本\x00商事"}, "誤り"),
        ({"holder_kana": "ア" * 61}, "誤り"),
        ({"holder": None}, "誤り"),
        ({"bank_code": {"$ne": ""}}, "誤り"),
    ],
)
async def test_what_the_master_or_a_field_forbids_is_refused(
    platform: Platform, ask: Gateway, differing: dict[str, Any], word: str
) -> None:
    code = policyholder_code()
    assert word in reason(await decided(platform, messages.registration(code, **differing)))
    assert await ask(administrator(code), "GET", "/accounts") == []


@pytest.mark.requirement("R212")
async def test_fields_are_accepted_up_to_their_borders(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    account = await registered(
        platform, ask, code, holder="あ" * 50, holder_kana="ア" * 60, account_number="0000000", deposit_type="current"
    )
    assert (account["holder"], account["account_number"]) == ("あ" * 50, "0000000")


@pytest.mark.requirement("C-7")
async def test_a_stale_version_is_refused_and_loses_nothing(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    account = await registered(platform, ask, code)
    rivals = [messages.change(code, account, holder=f"第{n}名義") for n in range(8)]
    async with platform.running("accounts"), platform.hears(*ANSWERS) as spy:
        await platform.say("applications", *rivals)
        said = [await spy.next(number=one.number) for one in rivals]
    assert (
        sorted(one["type"] for one in said)
        == ["accounts.account_procedure_applied"] + ["accounts.account_procedure_refused"] * 7
    )
    assert "変更されています" in reason(await decided(platform, messages.deletion(code, account)))
    assert "変更されています" in reason(await decided(platform, messages.change(code, account | {"version": 3})))
    [now] = await ask(administrator(code), "GET", "/accounts")
    assert now["version"] == 2


@pytest.mark.requirement("F5", "P7")
async def test_of_16_equal_registrations_at_once_one_is_carried_out(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    rivals = [messages.registration(code) for _ in range(16)]
    async with platform.running("accounts"), platform.running("accounts"), platform.hears(*ANSWERS) as spy:
        ids = [found for (found,) in await asyncio.gather(*(platform.say("applications", one) for one in rivals))]
        said = [await spy.next(number=one.number) for one in rivals]
    assert sum(one["type"] == AccountProcedureApplied.wire_type() for one in said) == 1
    assert {one["data"].get("reason") for one in said} == {None, "同じ口座が同じ利用区分ですでに登録されています。"}
    assert len(await ask(administrator(code), "GET", "/accounts")) == 1
    assert not await accounts.database.fetchval("select count(*) from parked where id = any($1)", ids)


async def test_the_unique_index_has_the_last_word(platform: Platform, ask: Gateway, accounts: Runtime) -> None:
    code = policyholder_code()
    account = await registered(platform, ask, code)
    with pytest.raises(asyncpg.UniqueViolationError):
        await accounts.database.execute(
            """
            insert into bank_accounts
            select $2, policyholder_code, 1, bank_code, branch_code, deposit_type, account_number, holder,
                   holder_kana, use, fixed_date
              from bank_accounts where id = $1
            """,
            UUID(account["id"]), uuid4(),
        )  # fmt: skip


@pytest.mark.requirement("P7")
async def test_the_same_event_twice_does_nothing_and_the_same_procedure_again_repeats_the_answer(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code, number = policyholder_code(), messages.number()
    event = messages.registration(code, number)
    async with platform.hears(*ANSWERS) as spy:
        ids = await platform.say("applications", event)
        first = await spy.next(number=number)
        await platform.say("applications", event, ids=ids)
        [other] = await platform.say("applications", event)
        again = await spy.next(number=number)
        await eventually(lambda: accounts.database.fetchval("select true from inbox where id = $1", other))
        assert again["data"] == first["data"] and about(spy, number) == []
    assert len(await ask(administrator(code), "GET", "/accounts")) == 1
    assert len((await ask(administrator(code), "GET", "/account-history"))["items"]) == 1


@pytest.mark.requirement("P7")
async def test_a_procedure_submitted_while_accounts_is_down_is_carried_out_when_it_returns(
    platform: Platform, accounts: Runtime
) -> None:
    """Several processes stop and start while procedures arrive: each is decided exactly once."""
    codes = [policyholder_code() for _ in range(12)]
    events = [messages.registration(code) for code in codes]
    async with platform.hears(*ANSWERS) as spy:
        for start in range(0, 12, 4):
            async with platform.running("accounts"):
                await platform.say("applications", *events[start : start + 4])
        for event in events:
            said = await spy.next(number=event.number)
            assert said["type"] == AccountProcedureApplied.wire_type()
            assert about(spy, event.number) == []


@pytest.mark.requirement("P7", "R-4")
async def test_a_killed_process_leaves_no_procedure_undecided_or_decided_twice(apart: Platform) -> None:
    code = policyholder_code()
    events = [messages.registration(code, account_number=f"{n:07d}") for n in range(120)]
    async with serving(apart, "accounts") as first, apart.owner("accounts") as owner, apart.hears(*ANSWERS) as spy:
        assert (await run(apart, "accounts", "banks", "demo"))[0] == 0
        saying = asyncio.create_task(apart.say("applications", *events))
        await eventually(lambda: owner.fetchval("select count(*) > 10 from account_procedures"))
        first.child.kill()
        async with serving(apart, "accounts"):
            await saying
            answers = [await spy.next(number=event.number) for event in events]
        assert {one["type"] for one in answers} == {AccountProcedureApplied.wire_type()}
        assert len({one["data"]["account_id"] for one in answers}) == len(events)
        assert await owner.fetchval("select count(*) from bank_accounts") == len(events)
        assert await owner.fetchval("select count(*) from account_versions") == len(events)


async def test_what_is_no_account_procedure_is_quarantined(platform: Platform, accounts: Runtime) -> None:
    event = messages.registration(policyholder_code())
    other = event.model_copy(update={"procedure": Procedure.POLICYHOLDER_CHANGE})
    [event_id] = await platform.say("applications", other)
    found = await eventually(
        lambda: accounts.database.fetchrow("select state, reason from parked where id = $1", event_id)
    )
    assert found["state"] == "unreadable"
    assert found["reason"].startswith("procedure: ")
    row = await accounts.database.fetchval("select count(*) from account_procedures where number = $1", event.number)
    assert row == 0


async def test_a_procedure_of_nobody_is_parked(platform: Platform, accounts: Runtime) -> None:
    event = messages.registration("000000000")
    nobody = event.model_copy(update={"operator": Operator(policyholder_code="", user_id="operator:test")})
    [event_id] = await platform.say("applications", nobody)
    reason = await eventually(lambda: accounts.database.fetchval("select reason from parked where id = $1", event_id))
    assert reason == "the operator belongs to no policyholder"
