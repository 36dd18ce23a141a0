"""Generated requests of every role find no 5xx, no undocumented answer, no way to another policyholder (B-1)."""

import asyncio
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from applications.service import service
from chassis.service import Runtime
from tests.applications.fronts import Front
from tests.support import callers, unique
from tests.support.platform import Platform

OPERATIONS = sum(len(list(routes)) for routes in service.routes)
schemathesis.serializer.alias("application/pdf", "application/octet-stream")


def probe(url: str, headers: dict[str, str], number: str, mode: GenerationMode) -> Iterator[str]:
    """Put generated requests to every operation, the well-formed ones about `number`; hold each to the document."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @hypothesis.settings(
            max_examples=4,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case[Any]) -> None:
            if mode is GenerationMode.POSITIVE and "number" in case.path_parameters:
                case.path_parameters["number"] = number
            # No schema can say what only the rules know: passed dates, a procedure's content, letters that are no text.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        check()
        yield operation.label


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
@pytest.mark.parametrize(
    ("role", "mode"),
    [
        ("applicant", GenerationMode.POSITIVE), ("stranger", GenerationMode.POSITIVE),
        ("partner", GenerationMode.POSITIVE), ("owner", GenerationMode.POSITIVE),
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
    draft = await administrator.draft("electronic_application", {"mine": True})
    headers = platform.headers(people[role]) if role in people else {}
    probed = await asyncio.to_thread(lambda: list(probe(running.url, headers, draft["number"], mode)))
    assert len(probed) == OPERATIONS
    if role != "owner":
        shown = await administrator.show(draft["number"])
        assert (shown["state"], shown["version"], shown["content"]) == ("draft", 1, {"mine": True})
