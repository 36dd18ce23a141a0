"""The confirmation screen learns beforehand what would be decided."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.accounts import Use
from tests.accounts import messages
from tests.accounts.acts import decided, registered
from tests.accounts.conftest import Gateway
from tests.support.callers import administrator, applicant, group_viewer
from tests.support.platform import Platform
from tests.support.unique import policyholder_code

REGISTRATION = {"procedure": "account_registration"} | messages.WISH


@pytest.mark.requirement("R204", "R210", "R212", "R222")
async def test_a_check_names_bank_and_branch_and_the_accounts_for_the_same_use(
    platform: Platform, ask: Gateway
) -> None:
    code = policyholder_code()
    said = await ask(administrator(code), "POST", "/account-checks", json=REGISTRATION)
    assert said == {
        "refusal": None, "reason": None, "bank_name": "見本銀行", "branch_name": "見本支店", "account": None,
        "for_same_use": 0,
    }  # fmt: skip
    await registered(platform, ask, code, account_number="2222222")
    said = await ask(administrator(code), "POST", "/account-checks", json=REGISTRATION)
    assert said["refusal"] is None and said["for_same_use"] == 1
    assert await ask(administrator(code), "GET", "/account-history", limit=1) != {"items": [], "next": None}


@pytest.mark.requirement("R216", "R217", "R234", "F5")
async def test_a_check_refuses_what_the_procedure_would_refuse(platform: Platform, ask: Gateway) -> None:
    code, caller = policyholder_code(), None
    caller = administrator(code)
    account = await registered(platform, ask, code)
    other = await registered(platform, ask, code, use=Use.CLAIM_PAYMENT)
    theirs = await registered(platform, ask, policyholder_code())

    async def refused(procedure: str, **content: Any) -> str | None:
        said = await ask(caller, "POST", "/account-checks", json={"procedure": procedure} | content)
        assert (said["refusal"] is None) == (said["reason"] is None)
        return said["refusal"]

    def of(one: dict[str, Any], **differing: Any) -> dict[str, Any]:
        return {"account_id": one["id"], "account_version": one["version"]} | differing

    assert await refused("account_registration", **messages.WISH) == "duplicate"
    assert await refused("account_registration", **messages.WISH | {"bank_code": "0000"}) == "no_bank"
    assert await refused("account_registration", **messages.WISH | {"branch_code": "000"}) == "no_branch"
    assert await refused("account_change", **messages.WISH, **of(account)) is None
    assert await refused("account_change", **messages.WISH, **of(other)) == "duplicate"
    assert await refused("account_change", **messages.WISH, **of(account, account_version=2)) == "stale_version"
    assert await refused("account_change", **messages.WISH, **of(theirs)) == "no_account"
    assert await refused("account_deletion", **of(account)) is None
    assert await refused("account_deletion", **of(theirs)) == "no_account"
    assert await refused("account_deletion", **of(account, account_id=str(uuid4()))) == "no_account"
    shown = await ask(caller, "POST", "/account-checks", json={"procedure": "account_deletion"} | of(account))
    assert shown["account"] == account
    await decided(platform, messages.deletion(code, account))
    assert await refused("account_deletion", **of(account)) == "no_account"


@pytest.mark.requirement("R70", "R102")
async def test_only_the_administrator_may_check(ask: Gateway) -> None:
    code = policyholder_code()
    for caller in (applicant(code), group_viewer((code,))):
        await ask(caller, "POST", "/account-checks", json=REGISTRATION, status=403)
    await ask(None, "POST", "/account-checks", json=REGISTRATION, status=401)


@pytest.mark.parametrize(
    ("differing", "field"),
    [
        ({"bank_code": "99999"}, "body.account_registration.bank_code"),
        ({"account_number": 1111111}, "body.account_registration.account_number"),
        ({"account_number": "111111"}, "body.account_registration.account_number"),
        ({"holder": "あ" * 51}, "body.account_registration.holder"),
        ({"holder": " "}, "body.account_registration.holder"),
        ({"use": "both"}, "body.account_registration.use"),
        ({"deposit_type": None}, "body.account_registration.deposit_type"),
        ({"account_id": "x"}, "body.account_registration.account_id"),
        ({"procedure": "account_swap"}, "body"),
        ({"procedure": "account_deletion", "account_version": 0}, "body.account_deletion.account_version"),
    ],
)
async def test_a_wish_that_breaks_a_field_is_refused_by_name(
    ask: Gateway, differing: dict[str, Any], field: str
) -> None:
    code = policyholder_code()
    said = await ask(administrator(code), "POST", "/account-checks", json=REGISTRATION | differing, status=422)
    assert field in {one["field"] for one in said["errors"]}
    assert all(one["message"] for one in said["errors"])
