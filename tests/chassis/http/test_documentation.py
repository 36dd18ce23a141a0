"""The OpenAPI document and the readable page come from the signatures alone, and the page needs no script."""

import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chassis.http import PUBLIC, Caller, Routes, compile_routes
from chassis.http import document as describe
from chassis.http.pages import reference
from tests.chassis.http.sample import Sample


@pytest.fixture(scope="module")
async def document(gateway: Sample, http: aiohttp.ClientSession) -> dict[str, Any]:
    """The document as served."""
    async with http.get("/openapi.json") as answer:
        told: dict[str, Any] = await answer.json()
        return told


async def test_an_operation_says_who_may_and_whether_a_one_time_password_is_due(document: dict[str, Any]) -> None:
    make, remove = document["paths"]["/things"]["post"], document["paths"]["/things/{number}"]["delete"]
    assert (make["x-permission"], make["x-step-up"], make["security"]) == ("write", True, [{"bearer": []}])
    assert (remove["x-permission"], remove["x-step-up"]) == ("write", False)
    public = document["paths"]["/attempts"]["post"]
    assert (public["x-permission"], public["x-step-up"], public["security"]) == ("public", False, [])


async def test_names_summaries_and_examples_are_taken_from_the_code(document: dict[str, Any]) -> None:
    read = document["paths"]["/things/{number}"]["get"]
    assert (read["operationId"], read["tags"]) == ("read_thing", ["things"])
    assert (read["summary"], read["description"]) == ("One thing.", "By its number.")
    assert document["components"]["schemas"]["NewThing"]["examples"][0]["name"] == "りんご"


async def test_parameters_bodies_and_limits_are_described(document: dict[str, Any]) -> None:
    listed = document["paths"]["/things"]["get"]["parameters"]
    assert {one["name"]: (one["in"], one["required"]) for one in listed} == {
        "limit": ("query", False),
        "kinds": ("query", False),
        "word": ("query", False),
        "weight": ("query", False),
    }
    assert document["components"]["schemas"]["NewThing"]["properties"]["name"]["maxLength"] == 10
    assert document["components"]["schemas"]["NewThing"]["additionalProperties"] is False
    (key,) = document["paths"]["/things"]["post"]["parameters"]
    assert (key["name"], key["in"], key["schema"]["type"]) == ("Idempotency-Key", "header", "string")


async def test_problems_are_responses_with_their_own_type(document: dict[str, Any]) -> None:
    responses = document["paths"]["/things"]["post"]["responses"]
    assert set(responses) == {"200", "201", "400", "401", "403", "408", "409", "413", "415", "422", "431", "500", "503"}
    assert responses["409"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Taken"}
    taken = document["components"]["schemas"]["Taken"]
    assert taken["properties"] == {"type": {"const": "/problems/taken"}, "status": {"const": 409}}


async def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", str(document)))
    assert named <= document["components"]["schemas"].keys()


async def test_the_page_shows_every_operation_without_script(
    document: dict[str, Any], http: aiohttp.ClientSession
) -> None:
    async with http.get("/docs") as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert all(f'<article id="{name}">' in page for name in operations)
    assert "<script" not in page
    assert " style=" not in page
    assert "script-src" not in policy
    assert "style-src 'sha256-" in policy


def test_the_page_shows_markup_in_texts_as_text() -> None:
    hostile = "<b onclick=x>"
    shape = {"type": "object", "description": hostile, "properties": {hostile: {"pattern": hostile, "type": "string"}}}
    info = {"title": hostile, "version": "1", "description": hostile}
    page, _ = reference("a", {"info": info, "tags": [], "paths": {}, "components": {"schemas": {"Thing": shape}}})
    assert "&lt;b onclick" in page
    assert hostile not in page


async def test_every_link_of_the_page_leads_somewhere(http: aiohttp.ClientSession) -> None:
    async with http.get("/docs") as answer:
        page = await answer.text()
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


async def test_a_door_says_what_it_takes_and_gives_when_it_streams() -> None:
    routes = Routes(tag="files")

    @routes.put("/files/{name}", needs=PUBLIC, takes="application/pdf", gives="text/csv")
    async def exchange(name: str, request: web.Request) -> web.StreamResponse:
        return web.StreamResponse()

    described = describe(compile_routes([routes], Caller, ()), title="Files", version="1")
    operation = described["paths"]["/files/{name}"]["put"]
    assert list(operation["requestBody"]["content"]) == ["application/pdf"]
    assert list(operation["responses"]["200"]["content"]) == ["text/csv"]
    page, _ = reference("files", described)
    assert "application/pdf" in page
