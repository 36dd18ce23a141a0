"""保険利用者情報変更 takes exactly what the manual allows, and shows what would change (R166 to R198, F4, F6)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.applications import ApplicationCompleted
from contracts.nexi import Office
from tests.applications.fronts import JAPAN, Front, completed, tell_profile, today
from tests.applications.words import report
from tests.support import callers
from tests.support.platform import Platform

SHIFT = timedelta(days=1)


def day(offset: int) -> str:
    """A day from today, by Japan time."""
    return (datetime.now(JAPAN).date() + timedelta(days=offset)).isoformat()


@pytest.mark.requirement("R173", "R174", "R175", "R176", "R177", "R178", "R179", "R180", "R181", "F1", "F3")
@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["漢" * 50, "ABC", "ﾄﾞ" * 50], ["漢" * 51, "", "　", "漢\u0007", "漢\u202e"]),
        ("kana", ["カ" * 60], ["カ" * 61, ""]),
        ("postal_code", ["123-4567"], ["1234567", "123-456", "１２３-４５６７", "123-4567\n", ""]),
        ("address", ["町" * 55], ["町" * 56, ""]),
        ("phone", ["11-1111-1111", "03-1234-5678"], ["0312345678", "03-1234", "03-1234-567x", ""]),
        ("registered_address", ["町" * 60], ["町" * 61, ""]),
        ("representative_title", ["長" * 50, ""], ["長" * 51]),
        ("representative_name", ["名" * 15], ["名" * 16, ""]),
        ("home_page", ["https://example.jp/" + "a" * 71, ""], ["https://example.jp/" + "a" * 72, "ftp://x", "例え"]),
    ],
)
async def test_every_item_at_its_border(
    platform: Platform, administrator: Front, field: str, good: list[str], bad: list[str]
) -> None:
    await tell_profile(platform, administrator)
    for value in good:
        reply = await administrator.confirm("policyholder_change", {"wished_date": today(), field: value})
        assert reply.status == 201, (value, reply)
    wrong: list[Any] = [*bad, 1, [], {}, True]
    for value in wrong:
        reply = await administrator.confirm("policyholder_change", {"wished_date": today(), field: value})
        assert (reply.status, list(reply.fields)) == (422, [f"body.content.{field}"]), (value, reply)


@pytest.mark.requirement("R172", "F4")
async def test_the_wished_date_is_a_real_day_that_has_not_passed_in_japan(
    platform: Platform, administrator: Front
) -> None:
    await tell_profile(platform, administrator)
    leap = next(year for year in range(datetime.now(JAPAN).year + 1, 2100) if year % 4 == 0)
    for wished in (today(), day(1), f"{leap}-02-29", "9999-12-31"):
        reply = await administrator.confirm("policyholder_change", {"wished_date": wished, "name": "新"})
        assert (reply.status, reply.body.get("content", {}).get("wished_date")) == (201, wished)
    refused: list[Any] = [
        day(-1), "2020-04-01", f"{leap + 1}-02-29", "2030-02-30", "2030-13-01", "10000-01-01", "0000-01-01",
        "2030-1-1", "2030-01-01T00:00:00Z", "20300101", "", None, 1900000000, 1.5, "２０３０-01-01",
    ]  # fmt: skip
    for wished in refused:
        reply = await administrator.confirm("policyholder_change", {"wished_date": wished, "name": "新"})
        assert (reply.status, list(reply.fields)) == (422, ["body.content.wished_date"]), (wished, reply)
    assert (await administrator.confirm("policyholder_change", {"name": "新"})).status == 422


@pytest.mark.requirement("F4")
async def test_a_wish_that_has_passed_since_it_was_saved_is_not_submitted(
    platform: Platform, administrator: Front, front: Any, code: str
) -> None:
    await tell_profile(platform, administrator)
    draft = await administrator.draft("policyholder_change", {"wished_date": today(), "name": "新"})
    async with platform.running("applications", clock_shift_seconds=SHIFT.total_seconds()) as tomorrow:
        late = front(callers.administrator(code), tomorrow.url)
        reply = await late.submit(draft)
        assert (reply.status, reply.fields) == (422, {"content.wished_date": "not_before_today"})
        saved = await late.correct(draft["number"], 1, {"wished_date": day(1), "name": "新"})
        assert (await late.submit(saved.body)).status == 200


@pytest.mark.requirement("F6", "R108", "R167")
async def test_a_branch_has_no_items_of_the_head_office(platform: Platform, administrator: Front) -> None:
    await tell_profile(platform, administrator, Office.BRANCH)
    wish = {"wished_date": today(), "registered_address": "町", "representative_name": "名", "home_page": ""}
    reply = await administrator.confirm("policyholder_change", wish)
    assert reply.status == 422
    assert reply.fields == {
        "body.content.registered_address": "head_office_only",
        "body.content.representative_name": "head_office_only",
        "body.content.home_page": "head_office_only",
    }
    draft = await administrator.draft("policyholder_change", {"wished_date": today(), "address": "大阪"})
    items = (await administrator.ask("GET", f"/applications/{draft['number']}/changes")).body
    assert [one["field"] for one in items] == ["name", "kana", "postal_code", "address", "phone"]


@pytest.mark.requirement("R170", "R185", "R195")
async def test_only_the_items_to_be_changed_are_named_and_compared(platform: Platform, administrator: Front) -> None:
    await tell_profile(platform, administrator)
    for wish in ({}, {"postal_code": "111-1111"}, {"unknown": "x", "name": "新"}):
        reply = await administrator.confirm("policyholder_change", {"wished_date": today()} | wish)
        assert reply.status == 422, wish
    draft = await administrator.draft(
        "policyholder_change", {"wished_date": today(), "address": "大阪府", "postal_code": "111-1111"}
    )
    path = f"/applications/{draft['number']}/changes"
    items = (await administrator.ask("GET", path)).body
    assert [one["label"] for one in items] == [
        "保険利用者名（漢字）", "保険利用者名（カナ）", "郵便番号", "所在地", "代表電話番号", "登記所在地",
        "代表者役職名", "代表者氏名", "ホームページアドレス",
    ]  # fmt: skip
    assert {one["field"] for one in items if one["changes"]} == {"address"}
    address = next(one for one in items if one["field"] == "address")
    assert (address["now"], address["wished"]) == ("東京都千代田区千代田１－１－１", "大阪府")
    assert (await administrator.submit(draft)).status == 200
    await tell_profile(platform, administrator, Office.BRANCH, version=2)
    assert (await administrator.ask("GET", path)).body == items


async def test_an_older_profile_never_replaces_a_newer_one(platform: Platform, administrator: Front) -> None:
    await tell_profile(platform, administrator, Office.BRANCH, version=5)
    await tell_profile(platform, administrator, Office.HEAD, version=4)
    reply = await administrator.confirm("policyholder_change", {"wished_date": today(), "home_page": "http://a"})
    assert reply.fields == {"body.content.home_page": "head_office_only"}


async def test_a_policyholder_that_accounts_has_not_told_of_must_wait(administrator: Front) -> None:
    reply = await administrator.confirm("policyholder_change", {"wished_date": today(), "name": "新"})
    assert (reply.status, reply.kind) == (409, "profile-unknown")


@pytest.mark.requirement("P6", "R198")
@pytest.mark.parametrize(
    ("wished", "decided", "effective"),
    [(0, None, 0), (10, None, 10), (10, 3, 3), (3, 10, 10), (0, 0, 0)],
)
async def test_the_date_that_nexi_decided_wins_over_the_wish(
    platform: Platform, administrator: Front, wished: int, decided: int | None, effective: int
) -> None:
    await tell_profile(platform, administrator)
    sent = await administrator.submitted("policyholder_change", {"wished_date": day(wished), "name": "新"})
    async with platform.hears(ApplicationCompleted) as spy:
        date_said = None if decided is None else day(decided)
        await platform.nexi.publish(completed(sent["number"], effective_date=date_said))
        assert (await spy.next(number=sent["number"]))["data"]["effective_date"] == day(effective)
    assert (await administrator.show(sent["number"]))["effective_date"] == day(effective)


@pytest.mark.requirement("P6")
async def test_nothing_takes_effect_before_the_completion(
    platform: Platform, administrator: Front, front: Any, code: str
) -> None:
    await tell_profile(platform, administrator)
    sent = await administrator.submitted("policyholder_change", {"wished_date": today(), "name": "新"})
    partner = callers.partner()
    async with platform.running("applications", clock_shift_seconds=5 * SHIFT.total_seconds()) as later:
        reply = await front(partner, later.url).ask("POST", "/nexi/events", json=report(completed(sent["number"])))
        assert (reply.status, reply.body["outcome"]) == (200, "applied")
    assert (await administrator.show(sent["number"]))["effective_date"] == day(5)
