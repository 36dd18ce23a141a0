"""An account procedure that is submitted while accounts is away is reflected when accounts is back (P7)."""

from typing import Any

import pytest

from applications.api.submissions import IN_PROGRESS, REFLECTED
from tests.applications.everybody import accounts_running
from tests.applications.fronts import ACCOUNT, Front
from tests.applications.words import until
from tests.support import callers
from tests.support.platform import Platform


@pytest.mark.requirement("P7", "R214", "R215")
async def test_a_registration_without_accounts_is_accepted_and_reflected_later(
    platform: Platform, front: Any, code: str
) -> None:
    async with platform.running("applications", answer_seconds=0.2) as impatient:
        administrator: Front = front(callers.administrator(code), impatient.url)
        wish = ACCOUNT | {"bank_code": "9985", "branch_code": "101"}
        draft = await administrator.draft("account_registration", wish)
        for _ in range(2):
            sent = await administrator.submit(draft)
            assert (sent.status, sent.body["state"], sent.body["message"]) == (202, "submitted", IN_PROGRESS)
        async with accounts_running(platform) as accounts:
            await until(administrator, draft["number"], "completed")
            done = await administrator.submit(draft)
            (account,) = (await front(callers.administrator(code), accounts.url).ask("GET", "/accounts")).body
    assert (done.status, done.body["state"], done.body["message"]) == (200, "completed", REFLECTED)
    assert (account["id"], account["account_number"]) == (done.body["account_id"], ACCOUNT["account_number"])
