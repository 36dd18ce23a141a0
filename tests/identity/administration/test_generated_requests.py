"""Whatever identity is asked, by whomever: no 5xx, nothing undocumented, nothing of another policyholder (B-1)."""

import asyncio
from typing import Any

import pytest
from schemathesis import GenerationMode

from contracts.caller import Caller
from identity.service import service
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import Firm
from tests.support import callers
from tests.support.generated import Case, probe

NEVER_STALE = 1_000_000
OPERATIONS = sum(len(list(routes)) for routes in service.routes)


async def everything_of(firm: Firm) -> Any:
    """What is remembered of a policyholder's users."""
    rows = await firm.database.fetch(
        "select u::text, (select t::text from temporary_passwords t where t.user_id = u.user_id) as temporary"
        " from users u where policyholder_code = $1 order by user_id",
        firm.code,
    )
    return [tuple(row) for row in rows]


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
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

    def at_victim(case: Case) -> None:
        if "user_id" in case.path_parameters:
            case.path_parameters["user_id"] = shown["user_id"]

    secret = "victim-only@sample.com"
    probed = await asyncio.to_thread(lambda: list(probe(other.runtime.url, headers, mode, at_victim, secret)))
    assert len(probed) == OPERATIONS
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
