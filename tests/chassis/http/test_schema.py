"""The document says exactly what the gateway does: generated requests find no 5xx and no answer outside it (B-1)."""

import asyncio
from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.chassis.http.asking import READER, WRITER
from tests.chassis.http.sample import Sample

DELIBERATE = {"broken", "wrong_shape", "slow", "attempt", "promise"}


def probe(url: str, headers: dict[str, str], mode: GenerationMode) -> Iterator[str]:
    """Put 10 generated requests to every operation and hold each answer against the document."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] in DELIBERATE:
            continue

        @hypothesis.settings(
            max_examples=10,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            # No schema can say which letters are no text (NUL, controls), so a refusal of valid data is no fault.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        check()
        yield operation.label


@pytest.mark.parametrize("headers", [{}, READER, WRITER], ids=["anonymous", "reader", "writer"])
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
async def test_generated_requests_are_answered_as_documented(
    gateway: Sample, headers: dict[str, str], mode: GenerationMode
) -> None:
    probed = await asyncio.to_thread(lambda: list(probe(gateway.url, headers, mode)))
    assert len(probed) == 6
