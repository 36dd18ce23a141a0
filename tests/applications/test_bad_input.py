"""Whatever is sent, the gateway answers which field is wrong, changes nothing, and stays up."""

import asyncio
import json
from typing import Any

import pytest

from tests.applications.fronts import ACCOUNT, Front

KIB = 1024
JSON = {"Content-Type": "application/json"}


def nested(depth: int) -> str:
    """A content so deep, as text: no library here would write it."""
    return '{"procedure":"loss_notice","content":{"a":' + "[" * depth + "]" * depth + "}}"


@pytest.mark.requirement("P2")
async def test_json_too_deep_is_refused_and_nothing_falls_over(administrator: Front) -> None:
    for depth in (10_000, 2_000, 1_000, 500, 255):
        reply = await administrator.ask("POST", "/applications", data=nested(depth), headers=JSON)
        assert (reply.status, reply.kind) == (400, "malformed-json"), depth
    reply = await administrator.ask("POST", "/applications", data=nested(100), headers=JSON)
    assert reply.status == 201
    assert (await administrator.submit(reply.body)).status == 200


@pytest.mark.requirement("P2")
async def test_a_content_of_256_kib_fits_and_a_byte_more_does_not(administrator: Front) -> None:
    room = 256 * KIB - len('{"a":""}')
    fits = {"a": "x" * room}
    draft = await administrator.draft("loss_notice", fits)
    assert (await administrator.show(draft["number"]))["content"] == fits
    reply = await administrator.confirm("loss_notice", {"a": "x" * (room + 1)})
    assert (reply.status, reply.fields) == (422, {"body.content": "too_large"})
    assert (await administrator.confirm("loss_notice", {"a": "x" * 700 * KIB})).status == 413


@pytest.mark.requirement("P2")
async def test_a_content_comes_back_as_it_was_sent(administrator: Front) -> None:
    content = {
        "文字": "𠮷野家 \u2028 <script>'; drop table applications; --",
        "number": [0, -1, 1.5, 12345678901234567890, 1e300, 0.1],
        "": {"null": None, "true": True, "nested": [[], {}, ""]},
    }
    draft = await administrator.draft("loss_notice", content)
    assert (await administrator.show(draft["number"]))["content"] == content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400), ("[]", 422), ("null", 422), ('{"procedure":"loss_notice"}', 422), ("{", 400), ("\ufeff{}", 400),
        ('{"procedure":"loss_notice","content":[]}', 422), ('{"procedure":"loss_notice","content":"{}"}', 422),
        ('{"procedure":"loss_notice","content":null}', 422), ('{"procedure":1,"content":{}}', 422),
        ('{"procedure":"unknown","content":{}}', 422), ('{"procedure":"__class__","content":{}}', 422),
        ('{"procedure":"loss_notice","content":{"a":NaN}}', 400),
        ('{"procedure":"loss_notice","content":{"a":1e999}}', 400),
        ('{"procedure":"loss_notice","content":{"a":1,"a":2}}', 400),
        ('{"procedure":"loss_notice","content":{"a":"\\u0000"}}', 400),
        ('{"procedure":"loss_notice","content":{"a":"\\ud800"}}', 400),
        ('{"procedure":"loss_notice","content":{"a":' + "9" * 5000 + "}}", 400),
        ('{"procedure":"loss_notice","content":{},"policyholder_code":"999999999"}', 422),
        ('{"procedure":"loss_notice","content":{},"number":"2015-0901-0001"}', 422),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_what_it_should_be(administrator: Front, body: str, status: int) -> None:
    reply = await administrator.ask("POST", "/applications", data=body.encode(), headers=JSON)
    assert reply.status == status, reply
    assert reply.body["detail"]
    assert (await administrator.list()).body["total"] == 0


@pytest.mark.requirement("R212", "F5", "W6")
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("bank_code", ["001", "00001", "０００１", "abcd", "", 1, None]),
        ("branch_code", ["01", "0001", "", 1, None]),
        ("deposit_type", ["savings", "普通預金", "", 1, None]),
        ("account_number", ["123456", "12345678", "１２３４５６７", "12345a7", "", 1234567, None]),
        ("holder", ["", "　", "社" * 51, "社\u0007", 1, None]),
        ("holder_kana", ["", "カ" * 61, 1, None]),
        ("use", ["控除", "premium_deduction", "", 1, None]),
        ("account_id", ["1", 1]),
        ("bank_name", ["みほん銀行"]),
    ],
)
async def test_every_account_field_at_its_border(administrator: Front, field: str, values: list[Any]) -> None:
    for value in values:
        reply = await administrator.confirm("account_registration", ACCOUNT | {field: value})
        assert (reply.status, list(reply.fields)) == (422, [f"body.content.{field}"]), (value, reply)
    partial = {name: value for name, value in ACCOUNT.items() if name != field}
    if field in ACCOUNT:
        reply = await administrator.confirm("account_registration", partial)
        assert reply.fields == {f"body.content.{field}": "missing"}


@pytest.mark.requirement("P7")
async def test_change_and_deletion_name_an_account_and_its_version(administrator: Front) -> None:
    for procedure, content in (("account_change", ACCOUNT), ("account_deletion", {})):
        for wrong in (
            {}, {"account_id": "x", "account_version": 1},
            {"account_id": "018f0000-0000-7000-8000-000000000001", "account_version": 0},
            {"account_id": "018f0000-0000-7000-8000-000000000001", "account_version": "1"},
        ):  # fmt: skip
            reply = await administrator.confirm(procedure, content | wrong)
            assert reply.status == 422
            assert all("account_" in field for field in reply.fields)


@pytest.mark.parametrize(
    "number", ["1", "2015-0901-001", "2015-0901-000001", "２０１５-0901-0001", "2015-0901-0001%00", "%"]
)
async def test_a_number_that_is_none(administrator: Front, number: str) -> None:
    reply = await administrator.ask("GET", f"/applications/{number}")
    assert reply.status in (400, 404, 422)


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**64, 1.0, "1", True, None])
async def test_a_version_that_is_none(administrator: Front, version: Any) -> None:
    draft = await administrator.draft()
    reply = await administrator.submit(draft | {"version": version})
    assert (reply.status, list(reply.fields)) == (422, ["body.version"])
    assert await administrator.state(draft["number"]) == "draft"


async def test_a_broken_off_request_changes_nothing(administrator: Front) -> None:
    host, port = administrator.url.removeprefix("http://").split(":")
    body = json.dumps({"procedure": "loss_notice", "content": {}})
    head = (
        f"POST /applications HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Authorization: {administrator.headers['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for end in range(0, len(body), 7):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write((head + body[:end]).encode())
        await writer.drain()
        writer.close()
    assert (await administrator.list()).body["total"] == 0
