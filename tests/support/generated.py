"""Generated requests put to every operation of a gateway's OpenAPI document, each answer held against it (B-1)."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import hypothesis
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.scale import scaled

schemathesis.serializer.alias("application/pdf", "application/octet-stream")

Case = schemathesis.Case[Any]
EXAMPLES = scaled(4, 100)
EVERYBODY = [
    *((role, GenerationMode.POSITIVE) for role in ("anonymous", "applicant", "stranger", "operator", "owner")),
    *((role, GenerationMode.NEGATIVE) for role in ("anonymous", "operator", "owner")),
]
"""Who asks, and whether well-formed: as parameters `role` and `mode` of a test."""
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"with-security-parameters": False},  # who asks is given
        "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},  # 413 too
    }
)


def untouched(_case: Case) -> None:
    """A well-formed request as it was generated."""


def probe(
    url: str,
    headers: Mapping[str, str],
    mode: GenerationMode,
    steer: Callable[[Case], None] = untouched,
    secret: str | None = None,
    skip: Collection[str] = (),
) -> Iterator[str]:
    """Ask each operation but those to `skip`, and answer its label. `steer` aims a well-formed request at somebody's
    data, of which the word `secret` may not come back."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json", config=CONFIG)
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.definition.raw["operationId"] in skip:
            continue

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Case) -> None:
            if mode is GenerationMode.POSITIVE:
                steer(case)
            # No schema can say what only the rules know: passed dates, a procedure's content, letters that are no text.
            answer = case.call_and_validate(headers=dict(headers), excluded_checks=[positive_data_acceptance])
            assert secret is None or secret not in answer.text

        with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong where nothing is sent
            check()
        yield operation.label
