"""Generated requests of every role find no 5xx, no undocumented answer, no way to another policyholder (B-1)."""

import asyncio
from typing import Any

import pytest
from schemathesis import GenerationMode

from applications.service import service
from chassis.service import Runtime
from tests.applications.fronts import Front
from tests.support import callers, unique
from tests.support.generated import Case, probe
from tests.support.platform import Platform

OPERATIONS = sum(len(list(routes)) for routes in service.routes)
MINE = "of-nobody-but-me"


@pytest.mark.chaos
@pytest.mark.requirement("B-1")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
@pytest.mark.parametrize(
    ("role", "mode"),
    [
        ("applicant", GenerationMode.POSITIVE), ("stranger", GenerationMode.POSITIVE),
        ("partner", GenerationMode.POSITIVE), ("operator", GenerationMode.POSITIVE),
        ("owner", GenerationMode.POSITIVE), ("anonymous", GenerationMode.POSITIVE),
        ("anonymous", GenerationMode.NEGATIVE), ("owner", GenerationMode.NEGATIVE),
    ],
)  # fmt: skip
async def test_generated_requests_are_answered_as_documented(
    platform: Platform, running: Runtime, administrator: Front, code: str, role: str, mode: GenerationMode
) -> None:
    people: dict[str, Any] = {
        "applicant": callers.applicant(code),
        "stranger": callers.administrator(unique.policyholder_code()),
        "operator": callers.operator(),
        "partner": callers.partner(),
        "owner": administrator.caller,
    }
    draft = await administrator.draft("electronic_application", {"mine": MINE})
    headers = platform.headers(people[role]) if role in people else {}

    def at_mine(case: Case) -> None:
        if "number" in case.path_parameters:
            case.path_parameters["number"] = draft["number"]

    secret = None if role == "owner" else MINE
    probed = await asyncio.to_thread(lambda: list(probe(running.url, headers, mode, at_mine, secret)))
    assert len(probed) == OPERATIONS
    if role != "owner":
        shown = await administrator.show(draft["number"])
        assert (shown["state"], shown["version"], shown["content"]) == ("draft", 1, {"mine": MINE})
