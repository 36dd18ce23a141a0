"""An account procedure is carried out once or refused with a reason; accounts are seen by their policyholder alone."""

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis.service import Runtime
from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused, Use
from contracts.applications import ApplicationSubmitted, Procedure
from tests.accounts import messages
from tests.accounts.conftest import Gateway
from tests.accounts.processes import run, serving
from tests.support.callers import administrator, applicant, group_viewer, operator
from tests.support.eventually import eventually
from tests.support.platform import Platform, Spy
from tests.support.unique import policyholder_code

ANSWERS = (AccountProcedureApplied, AccountProcedureRefused)


async def decided(platform: Platform, event: ApplicationSubmitted) -> dict[str, Any]:
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


@pytest.mark.requirement("R101", "R103", "R105", "R212", "R214")
async def test_a_registered_account_is_listed_with_every_column(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    event = messages.registration(code, holder="かぶしき abc", holder_kana="ｶ)ﾐﾎﾝ")
    said = await decided(platform, event)
    assert said["data"]["policyholder_code"] == code and said["data"]["number"] == event.number
    for caller in (administrator(code), applicant(code), group_viewer((code,))):
        [account] = await ask(caller, "GET", "/accounts")
        assert account["id"] == said["data"]["account_id"] and account["version"] == 1
        assert (account["use"], account["use_label"]) == ("premium_refund", "保険料返還")
        assert (account["bank_code"], account["bank_name"]) == ("9999", "見本銀行")
        assert (account["branch_code"], account["branch_name"]) == ("999", "見本支店")
        assert (account["deposit_type"], account["deposit_type_label"]) == ("ordinary", "普通預金")
        assert (account["account_number"], account["holder"]) == ("1111111", "かぶしき　ａｂｃ")
        assert account["holder_kana"] == "カ）ミホン"
        assert len(account["fixed_date"]) == 10
        assert await ask(caller, "GET", f"/accounts/{account['id']}") == account


@pytest.mark.requirement("R104")
async def test_the_list_is_sorted_both_ways_by_three_columns(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    wanted = [("3333333", Use.PREMIUM_REFUND), ("1111111", Use.CLAIM_PAYMENT), ("2222222", Use.PREMIUM_REFUND)]
    ids = [(await registered(platform, ask, code, account_number=n, use=use))["id"] for n, use in wanted]
    async with platform.owner("accounts") as owner:
        for day, account_id in zip(("2015-09-01", "2010-04-01", "2020-01-01"), ids, strict=True):
            await owner.execute(
                "update bank_accounts set fixed_date = $1::text::date where id = $2", day, UUID(account_id)
            )

    async def order(**query: str) -> str:
        return "".join(one["account_number"][0] for one in await ask(administrator(code), "GET", "/accounts", **query))

    assert await order() == await order(sort="use", order="asc") == "321"
    assert await order(sort="use", order="desc") == "132"
    assert await order(sort="account_number") == "123"
    assert await order(sort="account_number", order="desc") == "321"
    assert await order(sort="fixed_date") == "132"
    assert await order(sort="fixed_date", order="desc") == "231"
    for wrong in ({"sort": "holder"}, {"sort": "use; drop table bank_accounts"}, {"order": "ASC"}, {"page": "1"}):
        await ask(administrator(code), "GET", "/accounts", status=422, **wrong)


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


@pytest.mark.requirement("R233", "R236", "R237", "P8")
async def test_a_deleted_account_vanishes_from_lists_and_stays_in_history(platform: Platform, ask: Gateway) -> None:
    code = policyholder_code()
    account = await registered(platform, ask, code)
    await decided(platform, messages.change(code, account, holder="新名義"))
    await decided(platform, messages.deletion(code, account | {"version": 2}))
    assert await ask(administrator(code), "GET", "/accounts") == []
    await ask(administrator(code), "GET", f"/accounts/{account['id']}", status=404)
    past = await ask(administrator(code), "GET", "/account-history", account_id=account["id"])
    assert [(one["procedure"], one["deleted"], one["account"]["holder"]) for one in past["items"]] == [
        ("account_deletion", True, "新名義"),
        ("account_change", False, "新名義"),
        ("account_registration", False, "株式会社見本商事"),
    ]
    page = await ask(administrator(code), "GET", "/account-history", limit=1)
    rest = await ask(administrator(code), "GET", "/account-history", before=page["next"])
    assert page["items"] + rest["items"] == past["items"] and rest["next"] is None
    await registered(platform, ask, code)


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


async def test_an_account_of_another_policyholder_is_neither_shown_nor_changed_nor_deleted(
    platform: Platform, ask: Gateway
) -> None:
    mine, other = policyholder_code(), policyholder_code()
    theirs = await registered(platform, ask, other)
    await ask(administrator(mine), "GET", f"/accounts/{theirs['id']}", status=404)
    await ask(administrator(mine), "GET", f"/accounts/{theirs['id']}", policyholder_code=other, status=403)
    for event in (messages.change(mine, theirs), messages.deletion(mine, theirs)):
        assert "登録されていません" in reason(await decided(platform, event))
    past = await ask(administrator(mine), "GET", "/account-history", account_id=theirs["id"])
    assert past == {"items": [], "next": None}
    assert await ask(administrator(other), "GET", "/accounts") == [theirs]
    await ask(operator(), "GET", "/accounts", status=403)
    viewer = group_viewer((mine, other))
    assert await ask(viewer, "GET", "/accounts", policyholder_code=other) == [theirs]
    assert await ask(viewer, "GET", "/accounts", policyholder_code=mine) == []


@pytest.mark.requirement("F5", "P7")
async def test_of_16_equal_registrations_at_once_one_is_carried_out(
    platform: Platform, ask: Gateway, accounts: Runtime
) -> None:
    code = policyholder_code()
    rivals = [messages.registration(code) for _ in range(16)]
    async with platform.running("accounts"), platform.running("accounts"), platform.hears(*ANSWERS) as spy:
        await asyncio.gather(*(platform.say("applications", one) for one in rivals))
        said = [await spy.next(number=one.number) for one in rivals]
    assert sum(one["type"] == AccountProcedureApplied.wire_type() for one in said) == 1
    assert {one["data"].get("reason") for one in said} == {None, "同じ口座が同じ利用区分ですでに登録されています。"}
    assert len(await ask(administrator(code), "GET", "/accounts")) == 1
    assert not await accounts.database.fetchval("select count(*) from parked where type = $1", rivals[0].wire_type())


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
        assert again["data"] == first["data"] and _about(spy, number) == []
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
            assert _about(spy, event.number) == []


@pytest.mark.requirement("P7", "R-4")
async def test_a_killed_process_leaves_no_procedure_undecided_or_decided_twice(apart: Platform) -> None:
    code = policyholder_code()
    events = [messages.registration(code, account_number=f"{n:07d}") for n in range(120)]
    async with serving(apart) as first, apart.owner("accounts") as owner, apart.hears(*ANSWERS) as spy:
        assert (await run(apart, "banks", "demo"))[0] == 0
        saying = asyncio.create_task(apart.say("applications", *events))
        await eventually(lambda: owner.fetchval("select count(*) > 10 from account_procedures"))
        first.kill()
        async with serving(apart):
            await saying
            answers = [await spy.next(number=event.number) for event in events]
        assert {one["type"] for one in answers} == {AccountProcedureApplied.wire_type()}
        assert len({one["data"]["account_id"] for one in answers}) == len(events)
        assert await owner.fetchval("select count(*) from bank_accounts") == len(events)
        assert await owner.fetchval("select count(*) from account_versions") == len(events)


async def test_other_procedures_are_none_of_our_business(platform: Platform, ask: Gateway, accounts: Runtime) -> None:
    code = policyholder_code()
    event = messages.submitted(code, Procedure.POLICYHOLDER_CHANGE, {"wished_date": "2030-01-01"})
    [event_id] = await platform.say("applications", event)
    await eventually(lambda: accounts.database.fetchval("select true from inbox where id = $1", event_id))
    row = await accounts.database.fetchval("select count(*) from account_procedures where number = $1", event.number)
    assert row == 0


async def test_no_event_and_no_log_carries_more_than_it_needs(
    platform: Platform, ask: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    code, digits = policyholder_code(), f"{secrets.randbelow(10**7):07d}"
    async with platform.hears("accounts.#") as spy:
        account = await registered(platform, ask, code, account_number=digits, holder="秘密名義")
        await decided(platform, messages.change(code, account, holder="秘密名義", use="wrong"))
        await decided(platform, messages.registration(code, account_number=digits))
        await decided(platform, messages.deletion(code, account))
        written = str([one["data"] for one in spy.seen])
    assert f"'account_number': '{digits}'" not in written and "秘密名義" not in written and "holder_kana" not in written
    said = "".join(capfd.readouterr())
    assert "秘密名義" not in said and digits not in said.replace(code, "")


def _about(spy: Spy, number: str) -> list[Any]:
    return [one for one in spy.seen if one["data"]["number"] == number]
