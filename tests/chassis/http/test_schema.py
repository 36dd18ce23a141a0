"""The document says exactly what the gateway does: generated requests find no 5xx and no answer outside it (B-1)."""

import asyncio

import pytest
from schemathesis import GenerationMode

from tests.chassis.http.asking import READER, WRITER
from tests.chassis.http.sample import Sample
from tests.support.generated import probe

DELIBERATE = {"broken", "wrong_shape", "slow", "attempt", "promise"}


@pytest.mark.parametrize("headers", [{}, READER, WRITER], ids=["anonymous", "reader", "writer"])
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
async def test_generated_requests_are_answered_as_documented(
    gateway: Sample, headers: dict[str, str], mode: GenerationMode
) -> None:
    probed = await asyncio.to_thread(lambda: list(probe(gateway.url, headers, mode, skip=DELIBERATE)))
    assert len(probed) == 6
