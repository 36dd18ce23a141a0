"""Generated requests of every role find no 5xx, no undocumented answer, nothing of another policyholder (B-1)."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from schemathesis import GenerationMode

from audit.service import service
from chassis.service import Runtime
from contracts.operations import Operation
from tests.audit.conftest import Company
from tests.support import callers, unique
from tests.support.generated import EVERYBODY, Case, probe
from tests.support.platform import Platform

OPERATIONS = sum(len(list(routes)) for routes in service.routes)


@pytest.mark.chaos
@pytest.mark.requirement("B-1")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
@pytest.mark.parametrize(("role", "mode"), EVERYBODY)
async def test_generated_requests_are_answered_as_documented(
    platform: Platform, audit: Runtime, company: Company, role: str, mode: GenerationMode
) -> None:
    mine, other = f"見本{secrets.token_hex(8)}", unique.policyholder_code()
    now = datetime.now(UTC)
    await company.did((company.operator(1, name=mine), Operation.BUYER_BOOKMARK, now))
    today = f"{datetime.now(UTC) + timedelta(hours=9):%Y-%m-%d}"
    search = await company.search("2016-04-01", today, form="by_time")
    assert search["records"] == 1
    people: dict[str, Any] = {
        "applicant": callers.applicant(other),
        "stranger": callers.administrator(other),
        "operator": callers.operator(),
        "owner": company.administrator,
    }

    def at_mine(case: Case) -> None:
        if "search_id" in case.path_parameters:
            case.path_parameters["search_id"] = search["id"]
        if case.query and "follow" in case.query:
            case.query["follow"] = False  # or the answer has no end

    headers = platform.headers(people[role]) if role in people else {}
    secret = None if role in ("owner", "operator") else mine
    probed = await asyncio.to_thread(lambda: list(probe(audit.url, headers, mode, at_mine, secret)))
    assert len(probed) == OPERATIONS
