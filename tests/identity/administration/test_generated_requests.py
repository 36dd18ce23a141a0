"""Whatever identity is asked, by whomever: no 5xx, nothing undocumented, nothing of another policyholder (B-1)."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    missing_required_header,
    positive_data_acceptance,
    unsupported_method,
)

from contracts.caller import Caller
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import Firm
from tests.support import callers
from tests.support.scale import CHAOS, scaled

EXAMPLES = scaled(4, 100)
NEVER_STALE = 1_000_000
# No schema can say which letters are no text, so a refusal of valid data is no fault. The others ask by themselves.
NOT_ASKED = [positive_data_acceptance, ignored_auth, missing_required_header, unsupported_method]


def probe(url: str, headers: Mapping[str, str], mode: GenerationMode, victim: str, secret: str) -> Iterator[str]:
    """Put generated requests to every operation, about the victim where an operation names a user."""
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        operation = found.ok()

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=not CHAOS,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            if mode is GenerationMode.POSITIVE and "user_id" in (case.path_parameters or {}):
                case.path_parameters["user_id"] = victim
            response = case.call(headers=dict(headers))
            assert response.status_code < 500, (case.method, case.path, response.text)
            assert secret not in response.text
            case.validate_response(response, excluded_checks=NOT_ASKED, headers=dict(headers))

        with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong where nothing is sent
            check()
        yield operation.label


async def everything_of(firm: Firm) -> Any:
    """What is remembered of a policyholder's users."""
    rows = await firm.database.fetch(
        "select u::text, (select t::text from temporary_passwords t where t.user_id = u.user_id) as temporary"
        " from users u where policyholder_code = $1 order by user_id",
        firm.code,
    )
    return [tuple(row) for row in rows]


# The service, in another thread, uses `random` for its pauses; the generator believes it was a strategy.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.chaos
@pytest.mark.requirement("B-1")
@pytest.mark.parametrize("role", ["anonymous", "applicant", "other administrator"])
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
async def test_generated_requests_neither_break_nor_cross_anything(
    open_a_firm: OpenFirm, role: str, mode: GenerationMode
) -> None:
    victim, other = await open_a_firm(), await open_a_firm()
    shown = await victim.register(email="victim-only@sample.com")
    await other.register()
    headers = _headers(other, role)
    before = await everything_of(victim)
    probed = await asyncio.to_thread(
        lambda: list(probe(other.runtime.url, headers, mode, shown["user_id"], "victim-only@sample.com"))
    )
    assert len(probed) > 25
    assert await everything_of(victim) == before


def _headers(firm: Firm, role: str) -> dict[str, str]:
    caller: Caller | None = {
        "anonymous": None,
        "applicant": callers.applicant(firm.code, 1),
        "other administrator": firm.administrator,
    }[role]
    if caller is None:
        return {}
    subjects = (f"user:{caller.operator.user_id}", f"policyholder:{firm.code}", f"session:{caller.session_id}")
    return firm.platform.headers(caller, dict.fromkeys(subjects, NEVER_STALE))
