"""Nobody but a policyholder's own administrator reads or changes its users; foreign IDs answer like unknown ones."""

from typing import Any

import pytest

from contracts.identity import AccessRefused
from contracts.permissions import Permission
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import NEW_APPLICANT, Answer, Firm
from tests.support import callers
from tests.support.platform import Platform

ROUTES: list[tuple[str, str]] = [
    ("GET", "/administrator"),
    ("POST", "/administrator/validation"),
    ("PUT", "/administrator"),
    ("DELETE", "/administrator/email-change"),
    ("GET", "/applicants"),
    ("POST", "/applicants"),
    ("POST", "/applicants/validation"),
    ("GET", "/applicants/{user_id}"),
    ("PUT", "/applicants/{user_id}"),
    ("POST", "/applicants/{user_id}/validation"),
    ("POST", "/applicants/{user_id}/password-reset"),
    ("GET", "/applicants/{user_id}/permissions"),
    ("POST", "/permissions/preview"),
    ("GET", "/rider-codes"),
    ("POST", "/applicant-imports/validation"),
    ("POST", "/applicant-imports"),
    ("GET", "/applicant-imports/template"),
]


@pytest.mark.requirement("R68", "R69", "R89", "R100", "R321")
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_only_administrators_come_in_and_the_refusal_is_recorded(
    firm: Firm, platform: Platform, method: str, path: str
) -> None:
    shown = await firm.register()
    where = path.format(user_id=shown["user_id"])
    assert (await firm.ask(method, where, headers={"Authorization": ""})).status == 401
    others = (
        callers.applicant(firm.code, 1),
        callers.group_viewer((firm.code,)),
        callers.operator(),
        callers.partner(),
    )
    async with platform.hears(AccessRefused) as events:
        for caller in others:
            seen_by_the_portal = {"X-Forwarded-For": "203.0.113.7"}
            assert (await firm.ask(method, where, caller=caller, headers=seen_by_the_portal)).status == 403
            event = await events.next(path=path, method=method, reason="Forbidden")
            assert event["data"]["source_address"] == "203.0.113.7"
            assert event["data"]["operator"]["user_id"] == caller.operator.user_id
        gated = callers.administrator(firm.code, stepped_up=False)
        assert (await firm.ask(method, where, caller=gated)).problem == "step-up-required"
        await events.next(path=path, reason="StepUpRequired")


def alike(one: Answer, other: Answer) -> bool:
    """The same answer but for the number of the occurrence."""
    plain: list[Any] = [{**answer.body, "instance": ""} for answer in (one, other)]
    names = [{name for name in answer.headers if name != "X-Request-ID"} for answer in (one, other)]
    return one.status == other.status and plain[0] == plain[1] and names[0] == names[1]


@pytest.mark.requirement("R69", "B-1")
async def test_foreign_ids_answer_exactly_like_unknown_ones(open_a_firm: OpenFirm) -> None:
    firm, other = await open_a_firm(), await open_a_firm()
    theirs = await other.register()
    change = firm.change_of(theirs, name="乗っ取り")
    for foreign in (theirs["user_id"], f"{other.code}000", f"{firm.code}000"):
        unknown = f"{firm.code}777"
        for method, path, body in (
            ("GET", "/applicants/{}", None),
            ("PUT", "/applicants/{}", change),
            ("POST", "/applicants/{}/validation", change),
            ("POST", "/applicants/{}/password-reset", None),
            ("GET", "/applicants/{}/permissions", None),
        ):
            found, missing = [await firm.ask(method, path.format(user_id), body) for user_id in (foreign, unknown)]
            assert found.status == 404
            assert alike(found, missing)
    assert (await other.ask("GET", f"/applicants/{theirs['user_id']}")).body == theirs


async def test_the_list_and_its_search_know_the_own_applicants_only(open_a_firm: OpenFirm) -> None:
    firm, other = await open_a_firm(), await open_a_firm()
    await other.register(email="secret@sample.com")
    await firm.register()
    for query in ("", "search=secret", f"search={other.code}"):
        items = (await firm.ask("GET", f"/applicants?{query}&page_size=999")).body["items"]
        assert {one["user_id"] for one in items} <= {f"{firm.code}001"}


async def test_two_policyholders_may_use_the_same_idempotency_key(open_a_firm: OpenFirm) -> None:
    firm, other = await open_a_firm(), await open_a_firm()
    key = {"Idempotency-Key": "0196aaaa-0000-7000-8000-000000000000"}
    for one in (firm, other):
        answer = await one.ask("POST", "/applicants", NEW_APPLICANT, headers=key)
        assert (answer.status, answer.body["user_id"]) == (201, f"{one.code}001")


async def test_another_companys_rider_codes_cannot_be_given(open_a_firm: OpenFirm) -> None:
    firm, other = await open_a_firm(riders=("111111111",)), await open_a_firm(riders=("222222222",))
    form = NEW_APPLICANT | {"contract_data": "listed_riders", "rider_codes": ["222222222"]}
    assert (await firm.ask("POST", "/applicants", form)).broken == {"body.rider_codes.0": "unknown_rider"}
    assert (await other.ask("POST", "/applicants", form)).status == 201


@pytest.mark.requirement("R75")
async def test_an_administrator_cannot_be_changed_as_an_applicant_nor_lowered(firm: Firm) -> None:
    own = f"{firm.code}000"
    shown = await firm.register()
    for values in ({"enabled": False}, {"entry": "none"}):
        assert (await firm.ask("PUT", f"/applicants/{own}", firm.change_of(shown, **values))).status == 404
    assert (await firm.ask("POST", f"/applicants/{own}/password-reset")).status == 404


async def test_the_operators_permission_does_not_administer(firm: Firm) -> None:
    caller = callers.administrator(firm.code).model_copy(update={"may": frozenset({Permission.OPERATE})})
    assert (await firm.ask("GET", "/applicants", caller=caller)).status == 403
