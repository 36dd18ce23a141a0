"""An application goes from the confirmation screen to completion, and says so at every step (R41 to R53)."""

import asyncio
import re
from datetime import datetime
from typing import Any

import pytest

from contracts.applications import (
    AccountProcedureSubmitted,
    ApplicationCompleted,
    ApplicationRejected,
    ApplicationSubmitted,
    DraftSaved,
)
from tests.applications.fronts import ACCOUNT, JAPAN, Front, applied, completed, rejected, tell_profile, today
from tests.support.eventually import eventually
from tests.support.platform import Platform

NAMED = {"account_id": "018f0000-0000-7000-8000-000000000001", "account_version": 1}


@pytest.mark.requirement(
    "R8", "R46", "R47", "R50", "R52", "R53", "R184", "R191", "R192", "R193", "R194", "R197", "R198"
)
async def test_a_policyholder_change_is_confirmed_submitted_and_completed(
    platform: Platform, administrator: Front
) -> None:
    await tell_profile(platform, administrator)
    draft = await administrator.draft("policyholder_change", {"wished_date": today(), "name": "ﾆﾎﾝ商事"})
    assert re.fullmatch(r"\d{4}-\d{4}-\d{4,5}", draft["number"])
    assert draft["state"] == "draft"
    assert draft["content"] == {"wished_date": today(), "name": "ニホン商事"}
    async with platform.hears(ApplicationSubmitted, ApplicationCompleted) as spy:
        reply = await administrator.submit(draft)
        assert reply.status == 200, reply
        moment = datetime.fromisoformat(reply.body["submitted_at"]).astimezone(JAPAN)
        assert reply.body["submitted_at_shown"] == moment.strftime("%Y年 %m月 %d日 %H時 %M分")
        assert reply.body["message"].startswith("申込情報は日本貿易保険に送信されました。")
        said = await spy.next(number=draft["number"])
        assert said["data"]["content"] == draft["content"]
        assert said["data"]["submitted_at"] == reply.body["submitted_at"]
        assert said["data"]["operator"]["user_id"] == administrator.caller.operator.user_id
        await platform.nexi.publish(completed(draft["number"]))
        done = (await spy.next(number=draft["number"]))["data"]
        assert (done["effective_date"], done["content"]["name"]) == (today(), "ニホン商事")
    assert await administrator.state(draft["number"]) == "completed"


@pytest.mark.requirement("P1", "R199")
async def test_a_rejection_carries_its_reason_to_the_list(platform: Platform, administrator: Front) -> None:
    number = (await administrator.submitted())["number"]
    async with platform.hears(ApplicationRejected) as spy:
        await platform.nexi.publish(rejected(number, "添付書類が不足しています。"))
        said = (await spy.next(number=number))["data"]
    assert (said["reason"], said["procedure_label"]) == ("添付書類が不足しています。", "海外商社登録・変更")
    item = (await administrator.list()).body["items"][0]
    assert (item["state"], item["state_label"], item["reason"]) == ("rejected", "不受理", "添付書類が不足しています。")


@pytest.mark.requirement("R48", "R49", "R186", "R188", "R189", "W7")
async def test_a_draft_is_saved_by_itself_and_resumed_under_its_number(
    platform: Platform, administrator: Front
) -> None:
    async with platform.hears(DraftSaved) as spy:
        draft = await administrator.draft(content={"buyer": "ABC"})
        first = await spy.next(number=draft["number"])
        resumed = await administrator.show(draft["number"])
        assert (resumed["content"], resumed["may_resume"]) == ({"buyer": "ABC"}, True)
        reply = await administrator.correct(draft["number"], draft["version"], {"buyer": "XYZ"})
        assert reply.status == 200, reply
        second = await spy.next(number=draft["number"])
    assert [one["data"]["operation"] for one in (first, second)] == ["2-1", "2-1"]
    assert [one["data"]["version"] for one in (first, second)] == [1, 2]
    sent = await administrator.submit(reply.body)
    assert (sent.body["number"], sent.body["content"]) == (draft["number"], {"buyer": "XYZ"})


@pytest.mark.requirement("P1")
async def test_the_time_line_says_who_took_which_step(platform: Platform, administrator: Front, front: Any) -> None:
    draft = await administrator.draft()
    draft = (await administrator.correct(draft["number"], 1, {"buyer": "B"})).body
    await administrator.submit(draft)
    await platform.nexi.publish(completed(draft["number"]))

    async def told() -> Any:
        steps = (await administrator.ask("GET", f"/applications/{draft['number']}/timeline")).body
        return steps if steps[-1]["step"] == "complete" else None

    steps = await eventually(told)
    assert [(one["step"], one["state"], one["version"]) for one in steps] == [
        ("confirm", "draft", 1), ("correct", "draft", 2), ("submit", "submitted", 2), ("complete", "completed", 2),
    ]  # fmt: skip
    me = administrator.caller.operator.user_id
    assert [one["user_id"] for one in steps] == [me, me, me, "nexi"]
    assert [one["at"] for one in steps] == sorted(one["at"] for one in steps)


@pytest.mark.requirement("P1")
async def test_a_withdrawn_draft_is_gone_from_the_list_and_keeps_its_number(administrator: Front) -> None:
    draft = await administrator.draft()
    assert [(await administrator.withdraw(draft)).status for _ in range(2)] == [200, 200]
    assert (await administrator.list()).body["total"] == 0
    assert await administrator.state(draft["number"]) == "withdrawn"
    assert (await administrator.submit(draft)).status == 409
    assert (await administrator.draft())["number"] > draft["number"]


STAGES = [
    ("policyholder_change", {"wished_date": "2020-01-01"}, {"name": "新"}, "phone", "06-1111-1111"),
    ("account_registration", ACCOUNT | {"use": "控除"}, ACCOUNT, "account_number", "7654321"),
    ("account_change", ACCOUNT | NAMED | {"bank_code": "みほん"}, ACCOUNT | NAMED, "account_number", "7654321"),
    ("account_deletion", NAMED | {"account_version": 0}, NAMED, "account_version", 2),
]


@pytest.mark.requirement(
    "R41", "R44", "R168", "R169", "R171", "R203", "R210", "R213", "R216", "R217", "R227", "R229", "R233", "R238", "L3"
)
@pytest.mark.parametrize(("procedure", "wrong", "right", "field", "corrected"), STAGES)
async def test_entry_confirmation_and_application_follow_each_other(
    platform: Platform, administrator: Front, front: Any, code: str,
    procedure: str, wrong: Any, right: Any, field: str, corrected: Any,
) -> None:  # fmt: skip
    await tell_profile(platform, administrator)
    if procedure == "policyholder_change":
        right = right | {"wished_date": today()}  # not of the day on which the tests were collected
    assert (await administrator.confirm(procedure, wrong)).status == 422
    assert (await administrator.list()).body["total"] == 0  # what was not confirmed is nowhere
    draft = await administrator.draft(procedure, right)
    again: Front = front(administrator.caller.model_copy(update={"session_id": "after-a-new-login"}))
    (found,) = (await again.list()).body["items"]
    assert (found["number"], found["may_resume"]) == (draft["number"], True)
    resumed = await again.show(found["number"])
    assert resumed["content"] == right
    reply = await again.correct(found["number"], resumed["version"], right | {field: corrected})
    assert (reply.status, reply.body["number"], reply.body["content"][field]) == (200, draft["number"], corrected)
    async with platform.hears(ApplicationSubmitted, AccountProcedureSubmitted) as spy:
        sending = asyncio.create_task(again.submit(reply.body, acknowledged=True))
        said = (await spy.next(number=draft["number"]))["data"]
        if procedure != "policyholder_change":
            await platform.say("accounts", applied(draft["number"], code))
        sent = await sending
    assert (sent.status, sent.body["number"], sent.body["content"][field]) == (200, draft["number"], corrected)
    assert sent.body["procedure_label"] == said["procedure_label"] == draft["procedure_label"]


@pytest.mark.requirement("R200", "R201", "R202", "P5")
async def test_the_events_say_at_which_moments_the_addresses_of_the_mails_are_taken(
    platform: Platform, administrator: Front, code: str
) -> None:
    async with platform.hears(ApplicationSubmitted, ApplicationCompleted) as spy:
        sent = await administrator.submitted()
        received = (await spy.next(number=sent["number"]))["data"]
        assert (received["submitted_at"], received["operator"]["policyholder_code"]) == (sent["submitted_at"], code)
        await platform.nexi.publish(completed(sent["number"]))
        done = (await spy.next(number=sent["number"]))["data"]
    shown = await administrator.show(sent["number"])
    assert (done["completed_at"], done["policyholder_code"]) == (shown["finished_at"], code)
