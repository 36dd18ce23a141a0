"""Methods, paths and headers: every answer carries what it must, whatever was asked for."""

import aiohttp
import pytest

from tests.chassis.http.asking import READER, WRITER, ask

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("PUT", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("TRACE", "/things/1", 405, "DELETE, GET, HEAD, OPTIONS"),
        ("HEAD", "/export", 405, "GET, OPTIONS"),
        ("OPTIONS", "/things", 204, "GET, HEAD, OPTIONS, POST"),
        ("POST", "/docs", 405, "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_which_are_right(
    http: aiohttp.ClientSession, method: str, path: str, status: int, allowed: str
) -> None:
    async with http.request(method, path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (status, allowed)


async def test_head_answers_as_get_does_without_a_body(http: aiohttp.ClientSession) -> None:
    async with http.get("/things", headers=READER) as get, http.head("/things", headers=READER) as head:
        assert (head.status, head.headers["Content-Length"]) == (200, get.headers["Content-Length"])
        assert await head.read() == b""


@pytest.mark.parametrize("path", ["/", "/nowhere", "/things/", "/things/1/2", "/things//1"])
async def test_an_unknown_path_is_a_problem_too(http: aiohttp.ClientSession, path: str) -> None:
    status, problem = await ask(http, "GET", path, headers=READER)
    assert (status, problem["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/things"), ("POST", "/things"), ("GET", "/nowhere"), ("PUT", "/things"), ("GET", "/export"),
     ("GET", "/broken"), ("GET", "/live"), ("GET", "/docs"), ("GET", "/openapi.json")],
)  # fmt: skip
async def test_every_answer_carries_the_security_headers(http: aiohttp.ClientSession, method: str, path: str) -> None:
    async with http.request(method, path, headers=READER) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "aiohttp" not in answer.headers["Server"].lower()
        assert answer.headers["X-Request-ID"]


async def test_a_sane_request_id_is_kept_and_any_other_replaced(http: aiohttp.ClientSession) -> None:
    for sent, kept in (("order-66:a.B_c", True), ("a b", False), ("x" * 65, False), ("<script>", False)):
        async with http.get("/nowhere", headers={"X-Request-ID": sent}) as answer:
            answered = answer.headers["X-Request-ID"]
            assert (answered == sent) is kept
            assert (await answer.json(content_type=None))["instance"] == f"/requests/{answered}"


async def test_the_callers_trace_is_continued(http: aiohttp.ClientSession) -> None:
    async with http.get("/live", headers={"traceparent": GIVEN}) as answer:
        assert answer.headers["X-Request-ID"] == GIVEN[3:35]
    async with http.get("/live", headers={"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"}) as answer:
        assert answer.headers["X-Request-ID"] != "0" * 32


async def test_an_answer_may_choose_among_declared_statuses_and_add_headers(http: aiohttp.ClientSession) -> None:
    async with http.post("/things", json={"name": "a"}, headers=WRITER) as answer:
        made = await answer.json()
        assert (answer.status, answer.headers["Location"]) == (201, f"/things/{made['number']}")


async def test_a_problem_can_carry_members_of_its_own(http: aiohttp.ClientSession) -> None:
    status, problem = await ask(http, "POST", "/things", json={"name": "取得済"}, headers=WRITER)
    assert (status, problem["by"]) == (409, "writer")


async def test_no_query_is_accepted_where_none_was_declared(http: aiohttp.ClientSession) -> None:
    assert (await ask(http, "GET", "/broken?x=1"))[0] == 422
