"""Bad input is refused with a problem that names field and rule in Japanese and never quotes the input (law 7)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from chassis.http.sentences import MOST_ERRORS
from tests.chassis.http.asking import READER, WRITER, ask, exchange, rules, statuses
from tests.chassis.http.sample import Sample

JSON = {**WRITER, "Content-Type": "application/json"}
SECRET = "himitsu-7391"


async def post(http: aiohttp.ClientSession, body: bytes, **headers: str) -> tuple[int, Any]:
    """Send bytes as JSON to the door that makes things."""
    return await ask(http, "POST", "/things", data=body, headers=JSON | headers)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("body.name", "missing")]),
        ({"name": 7}, [("body.name", "string_type")]),
        ({"name": None}, [("body.name", "string_type")]),
        ({"name": "　 "}, [("body.name", "too_short")]),
        ({"name": "あ" * 11}, [("body.name", "full_width")]),
        ({"name": "a\u202eb"}, [("body.name", "characters")]),
        ({"name": "a", "amount": "1"}, [("body.amount", "int_type")]),
        ({"name": "a", "amount": 1.5}, [("body.amount", "int_type")]),
        ({"name": "a", "amount": True}, [("body.amount", "int_type")]),
        ({"name": "a", "amount": -1}, [("body.amount", "greater_than_equal")]),
        ({"name": "a", "amount": 10**30}, [("body.amount", "less_than_equal")]),
        ({"name": "a", "kind": "green"}, [("body.kind", "enum")]),
        ({"name": "a", "since": "2026-02-30"}, [("body.since", "date_parsing")]),
        ({"name": "a", "since": 0}, [("body.since", "date_type")]),
        ({"name": "a", "places": {}}, [("body.places", "tuple_type")]),
        ({"name": "a", "places": [{"city": "東京"}, {}]}, [("body.places.1.city", "missing")]),
        ({"name": "a", "places": [{"city": "", "zip": 1}]},
         [("body.places.0.city", "string_too_short"), ("body.places.0.zip", "extra_forbidden")]),
        ({"name": "a", "weight": "1"}, [("body.weight", "float_type")]),
        ({"nam": "a"}, [("body.name", "missing"), ("body.nam", "extra_forbidden")]),
        ({"name": "a", "x" * 65: 1, "<b>": 1}, [("body.?", "extra_forbidden"), ("body.?", "extra_forbidden")]),
        ([], [("body", "model_type")]),
        ("name", [("body", "model_type")]),
    ],
)  # fmt: skip
async def test_every_broken_rule_is_named_with_its_field(
    http: aiohttp.ClientSession, body: Any, found: list[tuple[str, str]]
) -> None:
    status, problem = await ask(http, "POST", "/things", json=body, headers=WRITER)
    assert (status, rules(problem)) == (422, found)


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        (b"", "body", "json_invalid"),
        (b"{", "body", "json_invalid"),
        (b'{"name": "a"} x', "body", "json_invalid"),
        (b"{'name': 'a'}", "body", "json_invalid"),
        (b'{"name": "a\n"}', "body", "json_invalid"),
        (b'\xef\xbb\xbf{"name": "a"}', "body", "json_invalid"),
        (b'{"name": "\\ud800"}', "body", "json_invalid"),
        (b'{"name": "\xff"}', "body", "encoding"),
        ('{"name": "a"}'.encode("utf-16"), "body", "encoding"),
        (b'{"name": "a", "name": "b"}', "body.name", "duplicate_key"),
        (b'{"name": "a", "extra": {"x": [{"y": 1, "y": 1}]}}', "body.y", "duplicate_key"),
        (b'{"name": "a\\u0000"}', "body.name", "nul"),
        (b'{"name": "a", "extra": {"x": ["b", "\\u0000"]}}', "body.extra.x.1", "nul"),
        (b'{"name": "a", "extra": {"x\\u0000": 1}}', "body.extra", "nul"),
        (b'{"name": "a", "weight": NaN}', "body", "number"),
        (b'{"name": "a", "extra": {"x": -Infinity}}', "body", "number"),
        (b'{"name": "a", "extra": {"x": 1e999}}', "body", "number"),
        (b'{"name": "a", "amount": ' + b"9" * 5000 + b"}", "body", "number"),
        (b'{"name": "a", "extra": {"x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}", "body", "nesting"),
        (b'{"name": "a", "extra": {"x": ' + b"[" * 300 + b"]" * 300 + b"}}", "body", "json_invalid"),
    ],
)  # fmt: skip
async def test_json_that_readers_could_take_differently_is_refused(
    http: aiohttp.ClientSession, body: bytes, field: str, rule: str
) -> None:
    status, problem = await post(http, body)
    assert (status, problem["type"], rules(problem)) == (400, "/problems/malformed-json", [(field, rule)])


async def test_a_backslash_before_u0000_is_no_nul(http: aiohttp.ClientSession) -> None:
    status, told = await post(http, b'{"name": "\\\\u0000"}')
    assert (status, told["name"]) == (201, "＼ｕ００００")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=shift_jis"},
        {"Content-Type": "application/jsonx"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "deflate, br"},
    ],
)
async def test_only_plain_utf_8_json_is_read(http: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    status, problem = await post(http, b'{"name": "a"}', **headers)
    assert (status, problem["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "application/merge-patch+json"])
async def test_json_under_its_other_names_is_read(http: aiohttp.ClientSession, kind: str) -> None:
    assert (await post(http, b'{"name": "a"}', **{"Content-Type": kind}))[0] == 201


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/things?limit=0", [("query.limit", "greater_than_equal")]),
        ("/things?limit=x&kinds=red&kinds=pink", [("query.limit", "int_parsing"), ("query.kinds.1", "enum")]),
        ("/things?limit=1&limit=2", [("query.limit", "repeated")]),
        ("/things?word=%00", [("query.word", "string_unicode")]),
        ("/things?weight=inf", [("query.weight", "finite_number")]),
        ("/things?limt=1", [("query.limt", "extra_forbidden")]),
        ("/things/0", [("path.number", "greater_than_equal")]),
        ("/things/9999999999", [("path.number", "less_than_equal")]),
        ("/things/one", [("path.number", "int_parsing")]),
        ("/things/%00", [("path.number", "string_unicode")]),
        ("/things/x?y=1", [("path.number", "int_parsing"), ("query.y", "extra_forbidden")]),
    ],
)
async def test_path_and_query_are_held_to_their_types(
    http: aiohttp.ClientSession, path: str, found: list[tuple[str, str]]
) -> None:
    status, problem = await ask(http, "GET", path, headers=READER)
    assert (status, rules(problem)) == (422, found)


async def test_a_list_in_the_query_is_its_name_repeated(http: aiohttp.ClientSession) -> None:
    assert (await ask(http, "GET", "/things?kinds=red&kinds=blue&limit=1", headers=READER))[0] == 200


async def test_a_header_is_an_argument_like_any_other(http: aiohttp.ClientSession) -> None:
    for sent, heard in (({"Idempotency-Key": "k-1"}, "k-1"), ({}, "-")):
        async with http.post("/things", json={"name": "a"}, headers=WRITER | sent) as answer:
            assert (answer.status, answer.headers["X-Key"]) == (201, heard)


@pytest.mark.parametrize(
    ("line", "rule"),
    [(b"Idempotency-Key: \xff", b"string_unicode"), (b"Idempotency-Key: a\r\nIdempotency-Key: b", b"repeated")],
)
async def test_a_header_is_held_to_its_type(gateway: Sample, line: bytes, rule: bytes) -> None:
    head = b"POST /things HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer writer\r\nContent-Type: application/json\r\n"
    sent = head + line + b'\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{"name": "a"}'
    answer = await exchange(gateway.serving.port, sent)
    assert statuses(answer) == [422]
    assert b'"field":"header.Idempotency-Key","rule":"%s"' % rule in answer


async def test_a_body_nobody_asked_for_is_refused(http: aiohttp.ClientSession) -> None:
    status, problem = await ask(http, "DELETE", "/things/1", json={}, headers=WRITER)
    assert (status, rules(problem)) == (422, [("body", "extra_forbidden")])


async def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_its_size(http: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 16_384

    whole = await post(http, b" " * 65_537)
    chunked = await ask(http, "POST", "/things", data=pieces(), headers=JSON)
    assert [(status, problem["type"]) for status, problem in (whole, chunked)] == [
        (413, "/problems/body-too-large")
    ] * 2


async def test_a_body_of_exactly_the_limit_is_read(http: aiohttp.ClientSession) -> None:
    body = b'{"name": "a"}'
    assert (await post(http, body.ljust(65_536)))[0] == 201


async def test_the_input_is_never_quoted(http: aiohttp.ClientSession) -> None:
    for body in (
        {"name": SECRET * 9, "amount": SECRET, "kind": SECRET, "since": SECRET, "places": [SECRET], "weight": SECRET},
        SECRET,
        {"name": {"password": SECRET}},
    ):
        _, problem = await ask(http, "POST", "/things", json=body, headers=WRITER)
        assert SECRET not in json.dumps(problem)
    for path in (f"/things/{SECRET}", f"/things?limit={SECRET}", f"/{SECRET}"):
        _, problem = await ask(http, "GET", path, headers=READER)
        assert SECRET not in json.dumps(problem)
    _, problem = await post(http, b'{"name": "' + SECRET.encode())
    assert SECRET not in json.dumps(problem)


async def test_the_list_of_errors_is_bounded(http: aiohttp.ClientSession) -> None:
    status, problem = await ask(http, "POST", "/things", json={"name": "a", "places": [{}] * 60}, headers=WRITER)
    assert (status, len(problem["errors"])) == (422, MOST_ERRORS)


async def test_what_people_type_is_normalised_before_it_is_measured(http: aiohttp.ClientSession) -> None:
    _, thing = await ask(http, "POST", "/things", json={"name": "  ｶﾞﾗｽ ABCDEF"}, headers=WRITER)
    assert thing["name"] == "ガラス　ＡＢＣＤＥＦ"
