"""Operators answer enquiries, and see what is stuck and what could not be acted upon (R51, P6)."""

import base64
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from applications.service import service
from chassis.command_line import build_parser
from chassis.service import Runtime
from contracts.applications import OperatorActed
from tests.applications.fronts import PDF, Front, completed
from tests.applications.words import set_aside
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

Terminal = Callable[..., Coroutine[Any, Any, tuple[int, list[str], str]]]


@pytest.fixture
def terminal(platform: Platform, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """`python -m applications …` without the start of a process: exit status, lines of JSON, errors."""

    async def run(*arguments: str) -> tuple[int, list[str], str]:
        capsys.readouterr()
        chosen = build_parser(service).parse_args(arguments)
        status = await chosen.run(platform.settings("applications"), chosen)
        out, error = capsys.readouterr()
        return status or 0, [line for line in out.splitlines() if line.startswith("{")], error

    return run


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


@pytest.mark.requirement("P6")
async def test_operators_page_through_all_that_was_set_aside(
    platform: Platform, running: Runtime, front: Any, terminal: Terminal
) -> None:
    operator = front(callers.operator())
    ids = await platform.nexi.publish(*(completed(f"2015-0901-{serial:04d}") for serial in range(7001, 7006)))
    first, *later = [(await set_aside(running, event_id))["number"] for event_id in ids]
    for page in (later[:2], later[2:]):
        query = {"after": first, "limit": 2}
        listed = (await operator.ask("GET", "/operations/parked-events", params=query)).body
        assert [one["number"] for one in listed] == page
        status, out, error = await terminal("parked", "list", "--after", str(first), "--limit", "2")
        assert (status, [json.loads(line)["number"] for line in out]) == (0, page)
        assert f"--after {page[-1]}" in error
        first = page[-1]
    for wrong in ("-1", str(2**63)):
        assert (await operator.ask("GET", "/operations/parked-events", params={"after": wrong})).status == 422


@pytest.mark.requirement("H2")
async def test_who_tries_parked_events_again_or_gives_them_up_is_in_the_trail(
    platform: Platform, running: Runtime, terminal: Terminal
) -> None:
    ids = await platform.nexi.publish(*(completed(f"2015-0901-{serial}") for serial in (7101, 7102)))
    async with platform.hears(OperatorActed) as spy:
        for action, event_id in zip(("replay", "discard"), ids, strict=True):
            number = str((await set_aside(running, event_id))["number"])
            assert (await terminal("parked", action, number, "--by", "hanako"))[0] == 0
            said = (await spy.next(command=f"parked {action}"))["data"]
            assert (said["operator"]["user_id"], said["about"]) == ("operator:hanako", number)
        assert (await terminal("parked", "discard", "0", "--by", "hanako"))[0] == 0
        async with running.database.transaction() as tx:
            tx.emit(OperatorActed.at_the_terminal("aki", "the next", ""))
        assert (await spy.next(command="the next"))["data"]["operator"]["user_id"] == "operator:aki"
        assert spy.seen == [], "what changed nothing is not said"


@pytest.mark.requirement("P6")
async def test_the_command_stuck_shows_what_waits_too_long(
    platform: Platform, administrator: Front, terminal: Terminal
) -> None:
    old, young = [(await administrator.submitted())["number"] for _ in range(2)]
    async with platform.owner("applications") as database:
        long_ago = "update applications set submitted_at = submitted_at - interval '15 days' where number = $1"
        await database.execute(long_ago, old)
    for arguments, shown in (((), {old}), (("--days", "16"), set()), (("--days", "0"), {old, young})):
        status, out, _ = await terminal("stuck", *arguments)
        found = {one["number"]: one for one in map(json.loads, out)}
        assert (status, found.keys() & {old, young}) == (0, shown)
    assert found[old]["waits_for"] == "nexi"
    assert found[old]["policyholder_code"] == administrator.caller.operator.policyholder_code
    assert "content" not in found[old]
