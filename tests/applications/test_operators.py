"""Operators answer enquiries, and see what is stuck and what could not be acted upon (R51, P6)."""

import base64
from typing import Any

import pytest

from chassis.service import Runtime
from tests.applications.fronts import PDF, Front, completed
from tests.applications.words import set_aside
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform


@pytest.mark.requirement("R51", "R194")
async def test_an_operator_finds_the_number_that_is_quoted_in_an_enquiry(administrator: Front, front: Any) -> None:
    operator = front(callers.operator())
    sent = await administrator.submitted()
    found = (await operator.ask("GET", f"/operations/applications/{sent['number']}")).body
    assert (found["state_label"], found["submitted_at"], found["days"]) == ("申込中", sent["submitted_at"], 0)
    assert [one["step"] for one in found["steps"]] == ["confirm", "submit"]
    assert "content" not in found
    assert (await operator.ask("GET", "/operations/applications/2015-0901-0001")).status == 404
    assert (await administrator.ask("GET", f"/operations/applications/{sent['number']}")).status == 403


@pytest.mark.requirement("P6")
async def test_operators_see_what_is_stuck_and_what_was_set_aside(
    platform: Platform, running: Runtime, administrator: Front, front: Any, client: Any
) -> None:
    operator = front(callers.operator())
    number = (await administrator.submitted())["number"]
    async with platform.owner("applications") as database:
        await database.execute(
            "update applications set submitted_at = submitted_at - interval '20 days' where number = $1", number
        )
    listed = (await operator.ask("GET", "/operations/stuck-applications", params={"limit": 1000})).body
    (found,) = [one for one in listed if one["number"] == number]
    assert (found["days"], found["carrier"], "content" in found) == (20, "nexi", False)
    more = (await operator.ask("GET", "/operations/stuck-applications", params={"days": 21, "limit": 1000})).body
    assert number not in {one["number"] for one in more}
    async with platform.running("applications") as fresh:

        async def counted() -> bool:
            async with client.get(f"{fresh.url}/metrics") as answer:
                return any(
                    line.startswith("applications_stuck ") and float(line.split()[1]) >= 1
                    for line in (await answer.text()).splitlines()
                )

        await eventually(counted)
    (event_id,) = await platform.nexi.publish(completed("2015-0901-0002"))
    await set_aside(running, event_id)
    aside = (await operator.ask("GET", "/operations/parked-events", params={"limit": 1000})).body
    (mine,) = [one for one in aside if one["id"] == str(event_id)]
    assert (mine["about"], mine["state"]) == ("2015-0901-0002", "parked")
    assert base64.b64encode(PDF).decode() not in str(aside)
