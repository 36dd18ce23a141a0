"""Every door asks who comes and whether they may, before it reads what they bring (law 5)."""

import aiohttp
import pytest

from tests.chassis.http.asking import FRESH, READER, WRITER, ask
from tests.chassis.http.sample import Sample


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 401, "unauthenticated"),
        ({"Authorization": "Bearer nobody"}, 401, "unauthenticated"),
        (READER, 403, "forbidden"),
        (FRESH, 403, "step-up-required"),
        (WRITER, 400, "malformed-json"),
    ],
)
async def test_a_bad_body_is_looked_at_only_for_those_who_may_send_one(
    http: aiohttp.ClientSession, headers: dict[str, str], status: int, kind: str
) -> None:
    sent = {"Content-Type": "application/json", **headers}
    answered, problem = await ask(http, "POST", "/things", data=b"{", headers=sent)
    assert (answered, problem["type"]) == (status, f"/problems/{kind}")


async def test_a_missing_token_is_asked_for(http: aiohttp.ClientSession) -> None:
    async with http.get("/things") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_door_can_be_free_of_the_one_time_password(http: aiohttp.ClientSession) -> None:
    assert (await ask(http, "GET", "/things", headers=FRESH))[0] == 403
    assert (await ask(http, "DELETE", "/things/77", headers=FRESH))[0] == 204


async def test_the_service_hears_of_every_refused_access(gateway: Sample, http: aiohttp.ClientSession) -> None:
    gateway.notebook.refused.clear()
    for headers in ({}, READER, FRESH):
        await ask(http, "POST", "/things", json={"name": "a"}, headers=headers)
    await ask(http, "POST", "/things", json={"name": ""}, headers=WRITER)
    assert gateway.notebook.refused == [
        ("/things", "-", "Unauthenticated"),
        ("/things", "reader", "Forbidden"),
        ("/things", "fresh", "StepUpRequired"),
    ]
