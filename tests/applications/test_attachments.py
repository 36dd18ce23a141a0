"""電子申請 takes PDF files by their content, streamed, to drafts only, and gives them back unchanged (R7, P2)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest

from chassis.service import Runtime
from contracts.applications import ApplicationSubmitted, DraftSaved
from tests.applications.fronts import PDF, Front, Reply
from tests.support import callers, unique
from tests.support.platform import Platform

MOST = 20 * 1024 * 1024


async def attach(front: Front, number: str, data: Any = PDF, name: str = "申請書.pdf", **headers: str) -> Reply:
    """Upload one file."""
    return await front.ask(
        "POST", f"/applications/{number}/attachments", params={"name": name}, data=data,
        headers={"Content-Type": "application/pdf"} | headers,
    )  # fmt: skip


async def kept(running: Runtime) -> int:
    """How many pieces of files are stored."""
    count: int = await running.database.fetchval("select count(*) from document_pieces")
    return count


@pytest.mark.requirement("R7", "P2")
async def test_a_file_travels_from_the_draft_to_nexi(platform: Platform, administrator: Front, front: Any) -> None:
    draft = await administrator.draft("electronic_application", {"title": "申請"})
    number = draft["number"]
    large = PDF.replace(b"obj", b"obj" + bytes(3 * 1024 * 1024), 1)

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    first = await attach(administrator, number)
    second = await attach(administrator, number, slowly(), "図面 (1).PDF")
    assert [first.status, second.status] == [201, 201], second
    assert [first.body["version"], second.body["version"]] == [2, 3]
    files = second.body["attachments"]
    assert [one["title"] for one in files] == ["申請書.pdf", "図面 (1).PDF"]
    assert files[1]["sha256"] == hashlib.sha256(large).hexdigest()
    path = f"/applications/{number}/attachments/{files[1]['id']}"
    got = await administrator.ask("GET", path)
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, large, "application/pdf")
    assert "filename*=UTF-8''%E5%9B%B3%E9%9D%A2%20%281%29.PDF" in got.headers["Content-Disposition"]
    nexi = front(callers.partner())
    assert (await nexi.ask("GET", f"/nexi{path}")).status == 404
    assert (await administrator.submit(draft)).status == 412
    async with platform.hears(ApplicationSubmitted) as spy:
        assert (await administrator.submit(second.body)).status == 200
        said = (await spy.next(number=number))["data"]
    assert said["attachments"] == files
    assert said["operation"] is None
    assert (await nexi.ask("GET", f"/nexi{path}")).body == large
    (waiting,) = [
        one
        for one in (await nexi.ask("GET", "/nexi/applications", params={"after": number[:-1]})).body
        if one["number"] == number
    ]
    assert waiting["attachments"] == files
    assert (await attach(administrator, number)).status == 409
    assert (await administrator.ask("DELETE", path)).status == 409


@pytest.mark.requirement("R7", "H2")
async def test_every_version_that_a_file_makes_is_recorded(platform: Platform, administrator: Front) -> None:
    async with platform.hears(DraftSaved) as spy:
        number = (await administrator.draft("electronic_application"))["number"]
        document = (await attach(administrator, number)).body["attachments"][0]["id"]
        assert (await administrator.ask("DELETE", f"/applications/{number}/attachments/{document}")).status == 200
        said = [(await spy.next(number=number, version=version))["data"] for version in (1, 2, 3)]
    assert {one["operator"]["user_id"] for one in said} == {administrator.caller.operator.user_id}


@pytest.mark.requirement("R7")
async def test_files_that_lie_about_their_type_are_refused_and_leave_nothing(
    running: Runtime, administrator: Front
) -> None:
    number = (await administrator.draft("electronic_application"))["number"]
    before = await kept(running)
    for lie in (
        b"", b"%PDF-1.7", b"MZ" + PDF, b"\n" + PDF, b"<html>" + PDF, PDF[:-7], PDF + bytes(2000), b"%PDF-9.9" + PDF[8:],
        b"PK\x03\x04" + bytes(100), b"%%EOF %PDF-1.7",
    ):  # fmt: skip
        reply = await attach(administrator, number, lie)
        assert (reply.status, reply.kind) == (422, "not-pdf"), lie
    for media_type in ("text/html", "application/octet-stream", "multipart/form-data; boundary=x"):
        reply = await attach(administrator, number, **{"Content-Type": media_type})
        assert (reply.status, reply.kind) == (415, "unsupported-media-type")
    assert (await attach(administrator, number, **{"Content-Encoding": "gzip"})).status in (400, 415)
    for name in ("a.exe", ".pdf", "a.pdf.exe", "../a.pdf", "a\u202efdp.pdf", "a\n.pdf", " a.pdf", "x" * 100 + ".pdf"):
        reply = await attach(administrator, number, name=name)
        assert (reply.status, list(reply.fields)) == (422, ["query.name"]), name
    assert (await administrator.show(number))["attachments"] == []
    assert await kept(running) == before


@pytest.mark.requirement("P2")
async def test_20_mib_fit_and_one_byte_more_does_not(running: Runtime, administrator: Front) -> None:
    number = (await administrator.draft("electronic_application"))["number"]
    whole = PDF.replace(b"obj", b"obj" + bytes(MOST - len(PDF)), 1)
    assert len(whole) == MOST
    reply = await attach(administrator, number, BytesIO(whole))
    assert (reply.status, reply.body["attachments"][0]["size"]) == (201, MOST)
    before = await kept(running)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(41):
            yield bytes(512 * 1024)

    assert (await attach(administrator, number, BytesIO(whole + b"\n"))).status == 413
    with suppress(OSError):  # the connection may be closed while the client is still sending
        assert (await attach(administrator, number, endless())).status == 413
    assert await kept(running) == before


async def test_an_upload_that_never_ends_is_given_up(platform: Platform, front: Any, code: str) -> None:
    async with platform.running("applications", upload_seconds=0.5) as impatient:
        person = front(callers.administrator(code), impatient.url)
        number = (await person.draft("electronic_application"))["number"]

        async def stalling() -> AsyncIterator[bytes]:
            yield PDF
            await asyncio.sleep(5)

        assert (await attach(person, number, stalling())).status == 408
        left = await impatient.database.fetchval("select count(*) from documents where size is null")
        assert left == 0


async def test_an_attachment_can_be_removed_until_the_submission(administrator: Front) -> None:
    number = (await administrator.draft("electronic_application"))["number"]
    (one,) = (await attach(administrator, number)).body["attachments"]
    path = f"/applications/{number}/attachments/{one['id']}"
    gone = await administrator.ask("DELETE", path)
    assert (gone.status, gone.body["attachments"], gone.body["version"]) == (200, [], 3)
    for method in ("GET", "DELETE"):
        assert (await administrator.ask(method, path)).status == 404
    assert (await administrator.show(number))["version"] == 3


async def test_at_most_20_files_however_parallel(running: Runtime, administrator: Front) -> None:
    number = (await administrator.draft("electronic_application"))["number"]
    replies = await asyncio.gather(*(attach(administrator, number, name=f"{place}.pdf") for place in range(26)))
    assert sorted(reply.status for reply in replies) == [201] * 20 + [409] * 6
    assert {reply.kind for reply in replies if reply.status == 409} == {"too-many-attachments"}
    shown = await administrator.show(number)
    assert (len(shown["attachments"]), shown["version"]) == (20, 21)


async def test_files_belong_to_their_application_and_policyholder(administrator: Front, front: Any) -> None:
    mine, other = [(await administrator.draft("electronic_application"))["number"] for _ in range(2)]
    (one,) = (await attach(administrator, mine)).body["attachments"]
    stranger = front(callers.administrator(unique.policyholder_code()))
    for person, number in ((administrator, other), (stranger, mine)):
        for method in ("GET", "DELETE"):
            path = f"/applications/{number}/attachments/{one['id']}"
            assert (await person.ask(method, path)).status == 404
    assert (await attach(stranger, mine)).status == 404
    reply = await attach(administrator, (await administrator.draft("loss_notice"))["number"])
    assert (reply.status, reply.kind) == (409, "no-attachments")
