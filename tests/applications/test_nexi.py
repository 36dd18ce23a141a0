"""What NEXI says is acted upon once, when it can be true; else it is set aside with its reason, never lost (P6)."""

import asyncio
import base64
import hashlib
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest

from chassis.service import Runtime
from contracts.applications import ApplicationCompleted, ApplicationSubmitted, NoticeDownloaded
from contracts.permissions import ApplicationData
from tests.applications.fronts import JAPAN, PDF, Front, completed, notice, rejected
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]


async def set_aside(running: Runtime, event_id: UUID) -> Any:
    """The parked event, as soon as it is there."""

    async def there() -> Any:
        return await running.database.fetchrow("select * from parked where id = $1", event_id)

    return await eventually(there)


async def until(front: Front, number: str, state: str) -> None:
    """Wait for a state."""

    async def reached() -> bool:
        return await front.state(number) == state

    await eventually(reached)


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
async def test_nexi_reads_what_was_submitted_from_its_queue(platform: Platform, administrator: Front) -> None:
    number = (await administrator.submitted())["number"]
    connection = await aio_pika.connect(platform.broker("nexi"))
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue("nexi.applications", ensure=False)

        async def found() -> Any:
            message = await queue.get(no_ack=True, fail=False)
            told = json.loads(message.body) if message else []
            return next((one for one in told if one["data"]["number"] == number), None)

        said = await eventually(found)
    assert (said["type"], said["data"]["content"]) == (ApplicationSubmitted.wire_type(), {"buyer": "ABC"})


def event(message: Any, event_id: UUID | None = None) -> dict[str, Any]:
    """The message as a report over HTTP."""
    return {
        "id": str(event_id or uuid4()), "type": message.wire_type(), "time": datetime.now(UTC).isoformat(),
        "data": message.model_dump(mode="json"),
    }  # fmt: skip


@pytest.mark.requirement("P6")
async def test_nexi_reports_over_http_with_the_same_effect_and_the_same_ears(
    platform: Platform, running: Runtime, administrator: Front, front: Any
) -> None:
    nexi = front(callers.partner())
    first, second, third = [(await administrator.submitted())["number"] for _ in range(3)]
    waiting = (await nexi.ask("GET", "/nexi/applications", params={"limit": 500})).body
    assert {first, second, third} <= {one["number"] for one in waiting}
    after = (await nexi.ask("GET", "/nexi/applications", params={"after": first, "limit": 1})).body
    assert [one["number"] for one in after] == [second]
    said = event(completed(first, document=notice()))
    async with platform.hears(ApplicationCompleted) as spy:
        replies = await asyncio.gather(*(nexi.ask("POST", "/nexi/events", json=said) for _ in range(8)))
        assert sorted(reply.body["outcome"] for reply in replies) == ["applied"] + ["repeated"] * 7
        await spy.next(number=first)
        await platform.nexi.publish(completed(first), ids=[UUID(said["id"])])
        await nexi.ask("POST", "/nexi/events", json=event(completed(second)))
        await spy.next(number=second)
        assert not [one for one in spy.seen if one["data"]["number"] == first]
    assert (await administrator.ask("GET", f"/applications/{first}/notice")).body == PDF
    assert (await nexi.ask("POST", "/nexi/events", json=event(rejected(third, "不備")))).body["outcome"] == "applied"
    assert (await administrator.show(third))["reason"] == "不備"
    draft = await administrator.draft()
    early = event(completed(draft["number"]))
    reply = await nexi.ask("POST", "/nexi/events", json=early)
    assert reply.body == {"outcome": "parked", "reason": "early: the application is a draft, not submitted yet"}
    await administrator.submit(draft)
    await until(administrator, draft["number"], "completed")


@pytest.mark.requirement("P6")
async def test_a_wrong_report_names_its_fields_and_is_not_remembered(administrator: Front, front: Any) -> None:
    nexi = front(callers.partner())
    number = (await administrator.submitted())["number"]
    good = event(completed(number))
    for wrong, field in (
        (good | {"type": "nexi.policyholder_registered"}, "body.type"),
        (good | {"data": good["data"] | {"effective_date": "2026-02-30"}}, "body.data.effective_date"),
        (good | {"data": {"number": number}}, "body.data.issued_at"),
        (good | {"id": "1"}, "body.id"),
        (good | {"subject": "x"}, "body.subject"),
        ({name: value for name, value in good.items() if name != "time"}, "body.time"),
    ):
        reply = await nexi.ask("POST", "/nexi/events", json=wrong)
        assert (reply.status, list(reply.fields)) == (422, [field]), wrong
    assert (await nexi.ask("POST", "/nexi/events", json=good)).body["outcome"] == "applied"


@pytest.mark.requirement("P6")
async def test_only_nexis_systems_report_and_only_operators_look(front: Any, administrator: Front) -> None:
    for path, method in (("/nexi/events", "POST"), ("/nexi/applications", "GET")):
        for caller in (administrator, front(callers.operator())):
            assert (await caller.ask(method, path)).status == 403
    for path in ("/operations/stuck-applications", "/operations/parked-events"):
        for caller in (administrator, front(callers.partner())):
            assert (await caller.ask("GET", path)).status == 403
    assert (await front(callers.partner()).list()).status == 403


async def nexi_command(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """Run `python -m applications nexi …` as somebody at NEXI would."""
    settings = platform.settings("applications")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'services'}:{ROOT / 'shared'}",
        "APPLICATIONS_NEXI_URL": platform.broker("nexi", platform.partner_host),
        "APPLICATIONS_DATABASE_URL": settings.database_url,
        "APPLICATIONS_BROKER_URL": settings.broker_url,
        "APPLICATIONS_PARTNER_BROKER_URL": settings.partner_broker_url,
        "APPLICATIONS_IDENTITY_KEYS_URL": settings.identity_keys_url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "applications", "nexi", *arguments,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


@pytest.mark.requirement("P6")
async def test_people_without_a_nexi_system_speak_by_command(
    platform: Platform, administrator: Front, tmp_path: Path
) -> None:
    number = (await administrator.submitted())["number"]
    pdf = tmp_path / "notice.pdf"
    pdf.write_bytes(PDF)
    status, out, error = await nexi_command(
        platform, "publish", "procedure_completed", "--set", f"number={number}", "--set", "document.title=通知書",
        "--set", f"document.pdf=@{pdf}", "--set", "effective_date=2099-01-01",
    )  # fmt: skip
    assert (status, json.loads(out)["type"]) == (0, "nexi.procedure_completed"), error
    await until(administrator, number, "completed")
    assert (await administrator.show(number))["effective_date"] == "2099-01-01"
    assert (await administrator.ask("GET", f"/applications/{number}/notice")).body == PDF
    status, out, error = await nexi_command(platform, "publish", "procedure_rejected", "--set", "number=1")
    assert (status, out) == (1, "")
    assert "number" in error
    assert "reason" in error
    status, out, _ = await nexi_command(platform, "schema", "notice_published")
    assert (status, "published_from" in json.loads(out)["properties"]) == (0, True)


@pytest.mark.requirement("R51", "R194")
async def test_an_operator_finds_the_number_that_is_quoted_in_an_enquiry(administrator: Front, front: Any) -> None:
    operator = front(callers.operator())
    sent = await administrator.submitted()
    found = (await operator.ask("GET", f"/operations/applications/{sent['number']}")).body
    assert (found["state_label"], found["submitted_at"], found["days"]) == ("申込中", sent["submitted_at"], 0)
    assert [one["step"] for one in found["steps"]] == ["confirm", "submit"]
    assert "content" not in found
    assert (await operator.ask("GET", "/operations/applications/2015-0901-0001")).status == 404
    assert (await administrator.ask("GET", f"/operations/applications/{sent['number']}")).status == 403


@pytest.mark.requirement("P6")
async def test_operators_see_what_is_stuck_and_what_was_set_aside(
    platform: Platform, running: Runtime, administrator: Front, front: Any, client: Any
) -> None:
    operator = front(callers.operator())
    number = (await administrator.submitted())["number"]
    async with platform.owner("applications") as database:
        await database.execute(
            "update applications set submitted_at = submitted_at - interval '20 days' where number = $1", number
        )
    listed = (await operator.ask("GET", "/operations/stuck-applications", params={"limit": 1000})).body
    (found,) = [one for one in listed if one["number"] == number]
    assert (found["days"], found["carrier"], "content" in found) == (20, "nexi", False)
    more = (await operator.ask("GET", "/operations/stuck-applications", params={"days": 21, "limit": 1000})).body
    assert number not in {one["number"] for one in more}
    async with platform.running("applications") as fresh:

        async def counted() -> bool:
            async with client.get(f"{fresh.url}/metrics") as answer:
                return any(
                    line.startswith("applications_stuck ") and float(line.split()[1]) >= 1
                    for line in (await answer.text()).splitlines()
                )

        await eventually(counted)
    (event_id,) = await platform.nexi.publish(completed("2015-0901-0002"))
    await set_aside(running, event_id)
    aside = (await operator.ask("GET", "/operations/parked-events", params={"limit": 1000})).body
    (mine,) = [one for one in aside if one["id"] == str(event_id)]
    assert (mine["about"], mine["state"]) == ("2015-0901-0002", "parked")
    assert base64.b64encode(PDF).decode() not in str(aside)
