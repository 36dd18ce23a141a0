"""Generated requests of every role find no 5xx, no undocumented answer, nothing of another policyholder (B-1)."""

import asyncio
from typing import Any

import pytest
from schemathesis import GenerationMode

from chassis.service import Runtime
from contracts.notifier import Template
from notifier.service import service
from tests.notifier.wishes import Wishes, address
from tests.support import callers, unique
from tests.support.generated import EVERYBODY, Case, probe
from tests.support.platform import Platform

OPERATIONS = sum(len(list(routes)) for routes in service.routes)


@pytest.mark.chaos
@pytest.mark.requirement("B-1")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # its own
@pytest.mark.parametrize(("role", "mode"), EVERYBODY)
async def test_generated_requests_are_answered_as_documented(
    platform: Platform, notifier: Runtime, wishes: Wishes, role: str, mode: GenerationMode
) -> None:
    code, other, mine = unique.policyholder_code(), unique.policyholder_code(), address()
    mail_id = await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, mine, code=code))
    await wishes.end(mail_id, "sent")
    people: dict[str, Any] = {
        "applicant": callers.applicant(other),
        "stranger": callers.administrator(other),
        "operator": callers.operator(),
        "owner": callers.administrator(code),
    }

    def at_mine(case: Case) -> None:
        if "mail_id" in case.path_parameters:
            case.path_parameters["mail_id"] = str(mail_id)

    headers = platform.headers(people[role]) if role in people else {}
    secret = None if role in ("owner", "operator") else mine
    probed = await asyncio.to_thread(lambda: list(probe(notifier.url, headers, mode, at_mine, secret)))
    assert len(probed) == OPERATIONS
