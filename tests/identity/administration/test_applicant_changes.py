"""A change of an applicant is confirmed by whoever saw the present version, and is in force when it is answered."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from chassis.service import Runtime
from contracts.identity import AccessRevoked, AddressChanged, ApplicantChanged
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import RIDERS, Answer, Firm
from tests.support import callers
from tests.support.platform import Platform


async def put(firm: Firm, shown: dict[str, object], *, at: Runtime | None = None, **values: object) -> Answer:
    return await firm.ask("PUT", f"/applicants/{shown['user_id']}", firm.change_of(shown, **values), runtime=at)


@pytest.mark.requirement("R146", "R147", "R161")
async def test_a_validation_shows_all_values_and_marks_the_new_ones(firm: Firm) -> None:
    shown = await firm.register()
    form = firm.change_of(shown, name="貿易 花子", enabled=False, entry="enter_and_apply")
    answer = await firm.ask("POST", f"/applicants/{shown['user_id']}/validation", form)
    assert answer.status == 200
    lines = {one["field"]: one for one in answer.body["items"]}
    assert list(lines)[:3] == ["enabled", "user_id", "email"]
    assert answer.body["changed"] == ["enabled", "name", "entry"]
    assert (lines["enabled"]["before"], lines["enabled"]["value"]) == ("有効", "無効")
    assert (lines["name"]["before"], lines["name"]["value"]) == ("日本　太郎", "貿易　花子")
    assert (lines["entry"]["before"], lines["entry"]["value"]) == ("入力権限のみ", "入力+申込権限")
    assert (lines["phone"]["before"], lines["phone"]["changed"]) == (None, False)
    assert (await firm.ask("GET", f"/applicants/{shown['user_id']}")).body == shown


@pytest.mark.requirement("R150", "R157", "R158", "R159", "R162", "R74")
async def test_a_commit_changes_everything_that_was_entered(firm: Firm, platform: Platform) -> None:
    shown = await firm.register()
    async with platform.hears(ApplicantChanged, AddressChanged) as events:
        answer = await put(
            firm,
            shown,
            name="貿易　花子",
            email="hanako@sample.com",
            phone="",
            department="",
            title="",
            entry="none",
            contract_data="none",
            application_data="all",
        )
        changed = await events.next(about_user_id=shown["user_id"])
        address = await events.next(user_id=shown["user_id"], version=2)
    assert (answer.status, answer.body["in_force_from"]) == (200, None)
    assert answer.body["message"] == "Webユーザー(申込者)の情報を変更しました。"
    now = answer.body["applicant"]
    assert (now["version"], now["name"], now["email"], now["phone"]) == (2, "貿易　花子", "hanako@sample.com", "")
    assert (now["entry_label"], now["contract_data_label"]) == ("権限なし", "情報データ参照不可")
    assert now["application_data_label"] == "申込データ参照制限なし"
    assert set(changed["data"]["changed"]) == set(answer.body["changed"])
    assert "貿易" not in str(changed["data"]["changed"])
    assert (address["data"]["address"], address["data"]["name"]) == ("hanako@sample.com", "貿易　花子")


@pytest.mark.requirement("R151")
@pytest.mark.parametrize("field", ["user_id", "role", "policyholder_code", "password_hash", "rights_version"])
async def test_the_id_and_what_is_not_on_the_screen_cannot_be_changed(firm: Firm, field: str) -> None:
    shown = await firm.register()
    assert re.fullmatch("[0-9]{12}", shown["user_id"])
    refused = await put(firm, shown, **{field: f"{firm.code}999"})
    assert (refused.status, refused.broken) == (422, {f"body.{field}": "extra_forbidden"})


@pytest.mark.requirement("R145")
async def test_what_the_detail_shows_is_all_that_a_change_and_a_reset_need(firm: Firm) -> None:
    await firm.register()
    shown = (await firm.ask("GET", f"/applicants/{firm.code}001")).body
    assert (await put(firm, shown, title="部長")).status == 200
    assert (await firm.ask("POST", f"/applicants/{shown['user_id']}/password-reset")).status == 200


async def test_a_commit_without_a_change_does_nothing(firm: Firm) -> None:
    shown = await firm.register()
    answer = await put(firm, shown)
    assert (answer.status, answer.body["changed"], answer.body["applicant"]["version"]) == (200, [], 1)


@pytest.mark.requirement("C-7")
async def test_of_many_editors_one_wins_and_the_others_are_told(firm: Firm, platform: Platform) -> None:
    shown = await firm.register()
    async with platform.running("identity") as other:
        processes = enumerate((firm.runtime, other) * 8)
        answers = await asyncio.gather(*(put(firm, shown, at=at, name=f"編集者{number}") for number, at in processes))
    assert sorted(one.status for one in answers) == [200] + [412] * 15
    winner = next(one for one in answers if one.status == 200)
    loser = next(one for one in answers if one.status == 412)
    assert (loser.problem, loser.body["version"]) == ("stale-version", 2)
    assert (await firm.ask("GET", f"/applicants/{shown['user_id']}")).body == winner.body["applicant"]
    stale = await firm.ask("POST", f"/applicants/{shown['user_id']}/validation", firm.change_of(shown))
    assert stale.status == 412


@pytest.mark.requirement("L9", "C-5")
async def test_a_lowered_right_ends_the_tokens_that_still_carry_it(firm: Firm, platform: Platform) -> None:
    shown = await firm.register(entry="enter_and_apply")
    applicant = callers.applicant(firm.code, 1)
    token = await firm.headers(applicant)
    assert (await firm.ask("GET", "/menu", headers=token)).status == 200
    async with platform.running("identity") as other:
        answer = await put(firm, shown, entry="none")
        assert answer.body["in_force_from"] is None
        for runtime in (firm.runtime, other):
            assert (await firm.ask("GET", "/menu", headers=token, runtime=runtime)).status == 401
    assert (await firm.ask("GET", "/menu", caller=applicant)).status == 200


@pytest.mark.requirement("L9")
async def test_while_a_process_is_silent_the_answer_says_from_when_it_is_certain(firm: Firm) -> None:
    shown = await firm.register()
    beats = firm.runtime.revocations._beats
    beats["identity@silent:1"] = datetime.now(UTC) - timedelta(seconds=10)
    try:
        answer = await put(firm, shown, entry="none")
    finally:
        del beats["identity@silent:1"]
    certain = datetime.fromisoformat(answer.body["in_force_from"])
    assert timedelta(minutes=4) < certain - datetime.now(UTC) < timedelta(minutes=5)


@pytest.mark.requirement("H3", "L9")
async def test_a_new_name_ends_the_tokens_that_carry_the_old_one(firm: Firm) -> None:
    shown = await firm.register()
    token = await firm.headers(callers.applicant(firm.code, 1))
    await put(firm, shown, phone="0")
    assert (await firm.ask("GET", "/menu", headers=token)).status == 200
    await put(firm, shown | {"version": 2, "phone": "0"}, name="新しい名前")
    assert (await firm.ask("GET", "/menu", headers=token)).status == 401


@pytest.mark.requirement("L8", "R150")
async def test_disabling_ends_sessions_and_tokens_and_enabling_brings_none_back(firm: Firm, platform: Platform) -> None:
    shown = await firm.register()
    user_id = shown["user_id"]
    await firm.database.execute(
        "insert into sessions (session_id, token_hash, user_id, source_address) values ($1, $2, $3, '::1')",
        f"s{user_id}", user_id.encode(), user_id,
    )  # fmt: skip
    token = await firm.headers(callers.applicant(firm.code, 1))
    async with platform.hears(AccessRevoked, AddressChanged) as events:
        off = await put(firm, shown, enabled=False)
        revoked = await events.next(policyholder_code=firm.code, revoked=[{"subject": f"user:{user_id}", "below": 1}])
        address = await events.next(user_id=user_id, version=2)
    assert off.body["applicant"]["state_label"] == "無効"
    assert revoked["type"] == "identity.access_revoked"
    assert address["data"]["enabled"] is False
    ended = await firm.database.fetchrow("select ended_at, end_reason from sessions where user_id = $1", user_id)
    assert ended["ended_at"] is not None
    assert ended["end_reason"] == "disabled"
    on = await put(firm, off.body["applicant"], enabled=True)
    assert on.body["applicant"]["state_label"] == "有効"
    assert (await firm.ask("GET", "/menu", headers=token)).status == 401


@pytest.mark.requirement("R80", "R129", "R131", "R132", "R133", "R158", "W5")
async def test_rider_codes_are_added_removed_and_at_least_one(firm: Firm) -> None:
    shown = await firm.register(contract_data="listed_riders", rider_codes=[RIDERS[0]])
    more = await put(firm, shown, rider_codes=[RIDERS[2], RIDERS[0]])
    assert [one["rider_code"] for one in more.body["applicant"]["rider_codes"]] == [RIDERS[0], RIDERS[2]]
    assert more.body["changed"] == ["rider_codes"]
    none = await put(firm, more.body["applicant"], rider_codes=[])
    assert (none.status, none.broken) == (422, {"body.rider_codes": "at_least_one"})
    foreign = await put(firm, more.body["applicant"], rider_codes=[RIDERS[0], "123123123"])
    assert foreign.broken == {"body.rider_codes.0": "unknown_rider"}
    leftover = await put(firm, more.body["applicant"], contract_data="all")
    assert leftover.broken == {"body.rider_codes": "not_listed_riders"}
    wide = await put(firm, more.body["applicant"], contract_data="all", rider_codes=[])
    assert wide.body["applicant"]["rider_codes"] == []


@pytest.mark.requirement("R80", "W5")
async def test_listed_riders_needs_comprehensive_insurance(open_a_firm: OpenFirm) -> None:
    firm = await open_a_firm(comprehensive=False)
    shown = await firm.register()
    refused = await put(firm, shown, contract_data="listed_riders", rider_codes=[RIDERS[0]])
    assert (refused.status, refused.broken) == (422, {"body.contract_data": "comprehensive_only"})


@pytest.mark.requirement("W5")
async def test_a_withdrawn_code_stays_without_effect(firm: Firm) -> None:
    shown = await firm.register(contract_data="listed_riders", rider_codes=list(RIDERS[:2]))
    await firm.database.execute(
        "update companies set rider_codes = $2 where policyholder_code = $1", firm.code, [RIDERS[1]]
    )
    now = (await firm.ask("GET", f"/applicants/{shown['user_id']}")).body
    assert now["rider_codes"] == [
        {"rider_code": RIDERS[0], "effective": False},
        {"rider_code": RIDERS[1], "effective": True},
    ]
    kept = await put(firm, now, title="")
    assert kept.status == 200, "other fields can be changed while the withdrawn code stays"
    fresh = await firm.ask("POST", "/permissions/preview", {
        "entry": "none", "contract_data": "listed_riders", "rider_codes": [RIDERS[0]], "application_data": "none",
    })  # fmt: skip
    assert fresh.broken == {"body.rider_codes.0": "unknown_rider"}, "nobody is given it anew"


async def test_a_new_address_ends_the_mark_of_a_failing_one(firm: Firm) -> None:
    shown = await firm.register()
    await firm.database.execute("insert into failing_addresses (user_id) values ($1)", shown["user_id"])
    assert (await firm.ask("GET", f"/applicants/{shown['user_id']}")).body["address_failing"] is True
    answer = await put(firm, shown, email="works@sample.com")
    assert answer.body["applicant"]["address_failing"] is False
