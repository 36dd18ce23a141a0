"""Accounts are seen with all their columns, sorted, by every user of their policyholder and by nobody else."""

import secrets
from uuid import UUID

import pytest

from chassis.service import Runtime
from contracts.accounts import Use
from tests.accounts import messages
from tests.accounts.acts import decided, reason, registered
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, group_viewer, operator
from tests.support.platform import Platform
from tests.support.unique import policyholder_code


@pytest.mark.requirement("R203", "R101", "R103", "R105", "R212", "R214")
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
