"""What NEXI says is acted upon once, when it can be true; else it is set aside with its reason, never lost (P6)."""

import asyncio
import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest

from chassis.service import Runtime
from contracts.applications import ApplicationSubmitted, NoticeDownloaded
from contracts.permissions import ApplicationData
from tests.applications.fronts import ACCOUNT, JAPAN, PDF, Front, completed, notice, rejected, tell_profile, today
from tests.applications.words import listening, report, set_aside, until
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform


@pytest.mark.requirement("P6")
async def test_an_early_completion_waits_for_the_submission(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    draft = await administrator.draft()
    (event_id,) = await platform.nexi.publish(completed(draft["number"]))
    row = await set_aside(running, event_id)
    assert (row["state"], row["key"]) == ("parked", draft["number"])
    assert row["reason"] == "early: the application is a draft, not submitted yet"
    assert await administrator.state(draft["number"]) == "draft"
    assert (await administrator.submit(draft)).status == 200
    await until(administrator, draft["number"], "completed")
    assert (await set_aside(running, event_id))["state"] == "replayed"


@pytest.mark.requirement("P6")
async def test_a_word_parked_while_the_submission_was_just_committing_is_matched_too(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    draft = await administrator.draft()
    (event_id,) = await platform.nexi.publish(completed(draft["number"]))
    row = await set_aside(running, event_id)
    await administrator.submit(draft)
    await until(administrator, draft["number"], "completed")
    async with platform.owner("applications") as database:  # as if the wake had come before the parking
        await database.execute(
            "update applications set state = 'submitted', finished_at = null where number = $1", draft["number"]
        )
        await database.execute("update parked set state = 'parked', reason = $2 where id = $1", event_id, row["reason"])
    await until(administrator, draft["number"], "completed")


@pytest.mark.requirement("P6")
async def test_a_word_parked_as_early_while_another_decided_gets_its_true_reason(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    number = (await administrator.submitted())["number"]
    await platform.nexi.publish(completed(number))
    await until(administrator, number, "completed")
    (event_id,) = await platform.nexi.publish(rejected(number))
    reason = (await set_aside(running, event_id))["reason"]
    async with platform.owner("applications") as database:  # as if it had been judged before the submission
        early = "update parked set reason = 'early: the application is a draft', key = $2 where id = $1"
        await database.execute(early, event_id, number)

    async def judged_again() -> bool:
        return bool((await set_aside(running, event_id))["reason"] == reason)

    await eventually(judged_again)


@pytest.mark.requirement("P6")
async def test_a_word_that_comes_again_is_a_duplicate_though_its_day_was_past(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    await tell_profile(platform, administrator)
    draft = await administrator.draft("policyholder_change", {"wished_date": today(), "name": "新商事"})
    assert (await administrator.submit(draft)).status == 200
    number = draft["number"]
    async with platform.owner("applications") as owner:
        earlier = "created_at = created_at - interval '3 days', submitted_at = submitted_at - interval '2 days'"
        await owner.execute(f"update applications set {earlier} where number = $1", number)
    word = completed(number, effective_date=datetime.now(JAPAN).date() - timedelta(days=1))
    await platform.nexi.publish(word)
    await until(administrator, number, "completed")
    (event_id,) = await platform.nexi.publish(word)
    assert (await set_aside(running, event_id))["reason"] == "duplicate: the application is completed already"


@pytest.mark.requirement("P6")
async def test_what_cannot_be_true_is_set_aside_with_its_reason(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    done = (await administrator.submitted())["number"]
    await platform.nexi.publish(completed(done))
    await until(administrator, done, "completed")
    draft = await administrator.draft()
    await administrator.withdraw(draft)
    open_one = (await administrator.submitted())["number"]
    yesterday = datetime.now(JAPAN).date() - timedelta(days=1)
    words = {
        "unknown: there is no application of this number": completed("2015-0901-0001"),
        "duplicate: the application is completed already": completed(done),
        "contradictory: the application is completed already, with other particulars": completed(
            done, effective_date=date(2030, 1, 1)
        ),
        "contradictory: the application is completed already": rejected(done),
        "contradictory: the application was withdrawn": completed(draft["number"]),
        "contradictory: the effective date is before the day of application": completed(
            open_one, effective_date=yesterday
        ),
        "contradictory: issued before the number was allotted": completed(
            open_one, issued_at=datetime.now(UTC) - timedelta(hours=1)
        ),
        "contradictory: the notice document is not a PDF": completed(open_one, document=notice(b"MZ" + PDF)),
        "contradictory: the notice document is not base64": completed(
            open_one, document={"title": "通知書", "pdf": "これはbase64ではない"}
        ),
    }
    ids = await platform.nexi.publish(*words.values())
    for reason, event_id in zip(words, ids, strict=True):
        assert (await set_aside(running, event_id))["reason"] == reason
    assert [await administrator.state(one) for one in (done, draft["number"], open_one)] == [
        "completed", "withdrawn", "submitted",
    ]  # fmt: skip
    await platform.nexi.publish(completed(open_one))
    await until(administrator, open_one, "completed")


@pytest.mark.requirement("P6")
async def test_what_cannot_be_read_is_kept_with_its_reason(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    number = (await administrator.submitted())["number"]
    wrong: list[Any] = [
        {"number": number},
        {"number": number, "issued_at": "2026-01-01T00:00:00"},
        {"number": number, "issued_at": "2026-01-01T00:00:00Z", "effective_date": "2026-02-30"},
        {"number": number, "issued_at": "2026-01-01T00:00:00Z", "effective_date": "10000-01-01"},
        {"number": f"{number}'", "issued_at": "2026-01-01T00:00:00Z"},
        {"number": number, "issued_at": "2026-01-01T00:00:00Z", "document": {"title": "", "pdf": ""}},
        [],
        None,
    ]
    ids = [str(uuid4()) for _ in wrong]
    async with platform.nexi:
        for event_id, data in zip(ids, wrong, strict=True):
            envelope = {
                "specversion": "1.0", "id": event_id, "type": "nexi.procedure_completed", "source": "/nexi",
                "time": "2026-01-01T00:00:00Z", "data": data,
            }  # fmt: skip
            await platform.nexi.publish_raw(json.dumps([envelope]).encode(), "nexi", "nexi.procedure_completed")
        await platform.nexi.publish_raw(b"[" * 10_000, "nexi", "nexi.procedure_completed")
    for event_id in ids:
        row = await set_aside(running, UUID(event_id))
        assert row["state"] == "unreadable"
        assert row["reason"]
    assert await administrator.state(number) == "submitted"


@pytest.mark.requirement("P6", "B-3")
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"])
async def test_a_time_that_is_in_no_calendar_of_ours_harms_nobody(
    platform: Platform, running: Runtime, administrator: Front, front: Any, moment: str
) -> None:
    draft, number = await administrator.draft(), (await administrator.submitted())["number"]
    before = await eventually(lambda: asyncio.to_thread(listening, platform))
    wrong = {
        UUID(said["id"]): said | {"specversion": "1.0", "source": "/nexi"}
        for said in (
            report(completed(draft["number"])) | {"time": moment},
            report(completed(draft["number"])) | {"time": moment, "data": {}},
            report(completed(draft["number"])) | {"data": {"number": draft["number"], "issued_at": moment}},
        )
    }
    async with platform.nexi:
        for said in wrong.values():
            await platform.nexi.publish_raw(json.dumps([said]).encode(), "nexi", "nexi.procedure_completed")
        await platform.nexi.publish(completed(number))
    await until(administrator, number, "completed")
    async with platform.owner("applications") as database:
        rows = await database.fetch("select * from parked where position($1 in body) > 0", moment.encode())
    aside = {event_id: row for event_id in wrong for row in rows if str(event_id).encode() in row["body"]}
    assert await asyncio.to_thread(listening, platform) == before
    for event_id, said in wrong.items():
        assert (aside[event_id]["state"], "than" in aside[event_id]["reason"]) == ("unreadable", True)
        reply = await front(callers.partner()).ask("POST", "/nexi/events", json=said)
        assert reply.status == 422, reply
        assert set(reply.fields) & {"body.time", "body.data.issued_at"}


@pytest.mark.requirement("P6", "R260", "H1")
async def test_the_notice_document_is_downloaded_and_recorded(
    platform: Platform, administrator: Front, front: Any, code: str
) -> None:
    pdf = PDF.replace(b"obj", b"obj" + b" " * 700_000, 1)
    number = (await administrator.submitted())["number"]
    assert (await administrator.ask("GET", f"/applications/{number}/notice")).status == 404
    await platform.nexi.publish(completed(number, document=notice(pdf)))
    await until(administrator, number, "completed")
    shown = await administrator.show(number)
    assert (shown["has_notice"], shown["notice"]["title"], shown["notice"]["size"]) == (True, "通知書", len(pdf))
    assert shown["notice"]["sha256"] == hashlib.sha256(pdf).hexdigest()
    async with platform.hears(NoticeDownloaded) as spy:
        reply = await administrator.ask("GET", f"/applications/{number}/notice")
        assert (reply.status, reply.body) == (200, pdf)
        said = (await spy.next(number=number))["data"]
        assert (said["operation"], said["operator"]["user_id"]) == ("1-5", administrator.caller.operator.user_id)
    assert reply.headers["Content-Type"] == "application/pdf"
    assert reply.headers["Content-Disposition"].startswith(f'attachment; filename="{number}.pdf"')
    own = front(callers.applicant(code, application_data=ApplicationData.OWN))
    assert (await own.ask("GET", f"/applications/{number}/notice")).status == 404


@pytest.mark.requirement("R197", "R52")
async def test_nexi_reads_what_was_submitted_from_its_queue_but_no_bank_accounts(
    platform: Platform, front: Any, code: str
) -> None:
    async with platform.running("applications", answer_seconds=0.2) as impatient:
        administrator: Front = front(callers.administrator(code), impatient.url)
        registration = await administrator.draft("account_registration", ACCOUNT)
        assert (await administrator.submit(registration)).status == 202  # accounts is not there
        number = (await administrator.submitted())["number"]
    passed = []
    connection = await aio_pika.connect(platform.broker("nexi"))
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue("nexi.applications", ensure=False)

        async def found() -> Any:
            while message := await queue.get(no_ack=True, fail=False):  # other tests' lie before it
                for one in json.loads(message.body):
                    passed.append(one["data"]["number"])
                    if one["data"]["number"] == number:
                        return one
            return None

        said = await eventually(found)
    assert (said["type"], said["data"]["content"]) == (ApplicationSubmitted.wire_type(), {"buyer": "ABC"})
    assert registration["number"] not in passed
