"""NEXI's systems without AMQP: the HTTP doors and the command, each with credentials of its own (P6)."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from applications.api.partners import PAGE_BYTES
from chassis.http import bodies
from chassis.service import Runtime
from contracts.applications import ApplicationCompleted
from tests.applications.fronts import PDF, Front, completed, notice, rejected
from tests.applications.words import report, until
from tests.support import callers
from tests.support.platform import Platform


@pytest.mark.requirement("P6")
async def test_nexi_reports_over_http_with_the_same_effect_and_the_same_ears(
    platform: Platform, running: Runtime, administrator: Front, front: Any
) -> None:
    nexi = front(callers.partner())
    first, second, third = [(await administrator.submitted())["number"] for _ in range(3)]
    waiting = (await nexi.ask("GET", "/nexi/applications", params={"after": first[:-1], "limit": 500})).body
    assert {first, second, third} <= {one["number"] for one in waiting}
    after = (await nexi.ask("GET", "/nexi/applications", params={"after": first, "limit": 1})).body
    assert [one["number"] for one in after] == [second]
    said = report(completed(first, document=notice()))
    async with platform.hears(ApplicationCompleted) as spy:
        replies = await asyncio.gather(*(nexi.ask("POST", "/nexi/events", json=said) for _ in range(8)))
        assert sorted(reply.body["outcome"] for reply in replies) == ["applied"] + ["repeated"] * 7
        await spy.next(number=first)
        await platform.nexi.publish(completed(first), ids=[UUID(said["id"])])
        await nexi.ask("POST", "/nexi/events", json=report(completed(second)))
        await spy.next(number=second)
        assert not [one for one in spy.seen if one["data"]["number"] == first]
    assert (await administrator.ask("GET", f"/applications/{first}/notice")).body == PDF
    assert (await nexi.ask("POST", "/nexi/events", json=report(rejected(third, "不備")))).body["outcome"] == "applied"
    assert (await administrator.show(third))["reason"] == "不備"
    draft = await administrator.draft()
    early = report(completed(draft["number"]))
    reply = await nexi.ask("POST", "/nexi/events", json=early)
    assert reply.body == {"outcome": "parked", "reason": "early: the application is a draft, not submitted yet"}
    await administrator.submit(draft)
    await until(administrator, draft["number"], "completed")


@pytest.mark.requirement("P6")
async def test_a_page_of_large_contents_is_short_and_the_next_ones_go_on_to_the_last(
    administrator: Front, front: Any
) -> None:
    nexi = front(callers.partner())
    large = {"text": "x" * 250 * 1024}
    numbers = [(await administrator.submitted("comprehensive", large))["number"] for _ in range(11)]
    after, pages = numbers[0][:-1], []
    while page := (await nexi.ask("GET", "/nexi/applications", params={"after": after, "limit": 500})).body:
        pages.append([one for one in page if one["number"] in numbers])
        assert sum(len(json.dumps(one["content"])) for one in page) < PAGE_BYTES + 256 * 1024
        after = page[-1]["number"]
    assert [one["number"] for page in pages for one in page] == numbers
    assert all(one["content"] == large for page in pages for one in page)


@pytest.mark.requirement("P6")
async def test_a_wrong_report_names_its_fields_and_is_not_remembered(administrator: Front, front: Any) -> None:
    nexi = front(callers.partner())
    number = (await administrator.submitted())["number"]
    good = report(completed(number))
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
async def test_a_large_report_may_take_its_time(
    administrator: Front, front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = report(completed((await administrator.submitted())["number"], document=notice(PDF + b" " * 500)))
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    whole = json.dumps(said).encode()

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[:-1]
        await asyncio.sleep(0.6)
        yield whole[-1:]

    options = {"data": slowly(), "headers": {"Content-Type": "application/json"}}
    reply = await front(callers.partner()).ask("POST", "/nexi/events", **options)
    assert (reply.status, reply.body["outcome"]) == (200, "applied")
    options["data"] = slowly()
    assert (await administrator.ask("POST", "/applications", **options)).status == 408


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
    """Run `python -m applications nexi …` as somebody at NEXI would, with NEXI's own user and nothing else."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONUTF8": "1",
        "APPLICATIONS_NEXI_URL": platform.broker("nexi", platform.partner_host),
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "applications", "nexi", *arguments,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode or 0, out.decode(), error.decode()


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
    nobody = ("publish", "procedure_rejected", "--file", str(tmp_path / "nothing.json"))
    status, _, error = await nexi_command(platform, *nobody)
    assert (status, "cannot be read" in error, "Traceback" in error) == (1, True, False)
    status, out, _ = await nexi_command(platform, "schema", "notice_published")
    assert (status, "published_from" in json.loads(out)["properties"]) == (0, True)


@pytest.mark.requirement("P6")
async def test_the_command_takes_codes_as_text_and_explains_in_a_line_what_it_cannot_read(
    platform: Platform, tmp_path: Path
) -> None:
    listed = tmp_path / "list.json"
    listed.write_text("[]")
    riders = ("publish", "riders_changed", "--set", "policyholder_code=100000001")
    published, *refused = await asyncio.gather(
        nexi_command(
            platform, *riders, "--set", "uses_comprehensive_insurance=true", "--set", 'rider_codes=["999999901"]'
        ),
        nexi_command(platform, "publish", "procedure_completed", "--set", "document=1", "--set", "document.title=x"),
        nexi_command(platform, "publish", "procedure_completed", "--file", str(listed)),
        nexi_command(platform, *riders, "--set", "uses_comprehensive_insurance=true", "--set", "rider_codes=[9999"),
    )
    assert (published[0], json.loads(published[1] or "{}").get("type")) == (0, "nexi.riders_changed"), published[2]
    for (status, out, error), said in zip(refused, ("document", "list.json", "rider_codes"), strict=True):
        assert (status, out, len(error.splitlines())) == (1, "", 1), error
        assert said in error
