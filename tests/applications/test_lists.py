"""Web申込状況一覧 shows each caller exactly what the application-data permission allows (R20, R83 to R86, P3, P4)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from applications.rules.scopes import scope_of
from applications.store import lists
from chassis.service import Runtime
from contracts.applications import AccessRefused, ApplicationListViewed
from contracts.permissions import ApplicationData, Entry
from tests.applications.fronts import ACCOUNT, JAPAN, Front, completed
from tests.applications.words import until
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform


async def numbers(front: Front, **query: Any) -> list[str]:
    """The numbers on the list, in its order."""
    reply = await front.list(**query)
    assert reply.status == 200, reply
    return [one["number"] for one in reply.body["items"]]


@pytest.mark.requirement("R83", "R84", "R85", "P4")
async def test_all_own_and_none(front: Any, code: str, administrator: Front) -> None:
    me = front(callers.applicant(code, 1, application_data=ApplicationData.OWN))
    everything = front(callers.applicant(code, 2, application_data=ApplicationData.ALL))
    nothing = front(callers.applicant(code, 3, application_data=ApplicationData.NONE))
    mine, theirs = (await me.draft())["number"], (await administrator.draft())["number"]
    assert await numbers(me) == [mine]
    assert await numbers(everything) == await numbers(administrator) == [theirs, mine]
    reply = await nothing.list()
    assert (reply.status, reply.kind) == (403, "forbidden")
    assert (await me.ask("GET", f"/applications/{theirs}")).status == 404
    at = {"number": theirs, "version": 1}
    for refused in (await me.correct(theirs, 1, {}), await me.submit(at), await me.withdraw(at)):
        assert (refused.status, refused.kind) == (404, "not-found")
    resumed = await everything.correct(mine, 1, {"buyer": "Z"})
    assert (resumed.status, resumed.body["created_by"]) == (200, me.caller.operator.user_id)


@pytest.mark.requirement("P3", "P4", "R76", "R77", "R78")
async def test_who_may_not_see_applications_can_finish_in_one_sitting(front: Any, code: str) -> None:
    caller = callers.applicant(code, 4, application_data=ApplicationData.NONE)
    sitting = front(caller)
    draft = await sitting.draft()
    draft = (await sitting.correct(draft["number"], 1, {"buyer": "B"})).body
    assert (await sitting.submit(draft)).status == 200
    left = await sitting.draft()
    again = front(caller.model_copy(update={"session_id": unique.word("s")}))
    for reply in (
        await again.ask("GET", f"/applications/{left['number']}"),
        await again.correct(left["number"], 1, {}),
        await again.submit(left),
        await again.withdraw(left),
    ):
        assert (reply.status, reply.kind) == (404, "not-found")


@pytest.mark.requirement("P3", "R76", "R77", "R78")
async def test_entering_and_applying_are_different_rights(front: Any, code: str) -> None:
    enters = front(callers.applicant(code, 5, entry=Entry.ENTER))
    nothing = front(callers.applicant(code, 5, entry=Entry.NONE))
    draft = await enters.draft()
    assert (await enters.submit(draft)).status == 403
    assert (await nothing.confirm("buyer_registration", {})).status == 403
    assert (await nothing.show(draft["number"]))["may_resume"] is False
    assert (await front(callers.applicant(code, 5)).submit(draft)).status == 200


@pytest.mark.requirement("P3", "H2")
async def test_looking_at_an_administrators_draft_does_not_allow_to_handle_it(
    platform: Platform, front: Any, code: str, administrator: Front
) -> None:
    draft = await administrator.draft("account_registration", ACCOUNT)
    other = front(callers.applicant(code, 6, application_data=ApplicationData.ALL))
    assert (await other.show(draft["number"]))["may_resume"] is False
    async with platform.hears(AccessRefused) as spy:
        for reply in (await other.submit(draft), await other.correct(draft["number"], 1, ACCOUNT)):
            assert (reply.status, reply.kind) == (403, "forbidden")
        refusal = (await spy.next(path="/applications/{number}/submission"))["data"]
        assert refusal["operator"]["user_id"] == other.caller.operator.user_id


async def test_a_foreign_application_is_as_unknown_as_one_that_never_was(
    front: Any, running: Runtime, administrator: Front
) -> None:
    draft = await administrator.draft()
    stranger = front(callers.administrator(unique.policyholder_code()))
    unknown = "2015-0901-0001"

    async def answers(number: str) -> list[Any]:
        at = {"number": number, "version": 1}
        replies = [
            await stranger.ask("GET", f"/applications/{number}"),
            await stranger.ask("GET", f"/applications/{number}/timeline"),
            await stranger.ask("GET", f"/applications/{number}/changes"),
            await stranger.ask("GET", f"/applications/{number}/notice"),
            await stranger.correct(number, 1, {"buyer": "B"}),
            await stranger.submit(at),
            await stranger.withdraw(at),
            await stranger.ask(
                "POST", f"/applications/{number}/attachments", params={"name": "a.pdf"}, data=b"%PDF-1.7",
                headers={"Content-Type": "application/pdf"},
            ),
        ]  # fmt: skip
        return [(one.status, one.body | {"instance": ""}) for one in replies]

    assert await answers(draft["number"]) == await answers(unknown)
    assert all(status == 404 for status, _ in await answers(unknown))
    assert await administrator.state(draft["number"]) == "draft"


async def test_lists_do_not_read_what_was_entered(platform: Platform, administrator: Front) -> None:
    draft = await administrator.draft("loss_notice", {"goods": "a page of the largest would be 25 MiB"})
    await administrator.submit(draft)
    scope, now = scope_of(administrator.caller), datetime.now(JAPAN) + timedelta(seconds=1)
    async with platform.owner("applications") as database:
        _, page = await lists.search(
            database, scope, now, lists.Filter(), sort="number", descending=False, offset=0, limit=10
        )
        stuck = await lists.waiting(database, now, 1000)
    (one,) = [one for one in stuck if one.number == draft["number"]]
    assert [found.number for found in page] == [one.number]
    assert [(found.content, found.before) for found in (*page, one)] == [({}, None)] * 2


@pytest.mark.requirement("R91", "N2")
async def test_a_group_viewer_has_no_list(front: Any, code: str) -> None:
    assert (await front(callers.group_viewer((code,))).list()).status == 403


@pytest.mark.requirement("O3", "R319")
async def test_the_list_is_behind_the_one_time_password(front: Any, code: str) -> None:
    reply = await front(callers.administrator(code, stepped_up=False)).list()
    assert (reply.status, reply.kind) == (403, "step-up-required")


@pytest.mark.requirement("R319", "R327", "O3")
async def test_the_procedures_of_the_exempt_menu_alone_are_free_of_the_one_time_password(
    front: Any, code: str, administrator: Front
) -> None:
    before = front(callers.administrator(code, stepped_up=False))
    for procedure in ("buyer_registration", "sleeping_release"):
        number = (await before.draft(procedure))["number"]
        draft = (await before.correct(number, 1, {"buyer": "B"})).body
        assert (await before.ask("GET", f"/applications/{number}/timeline")).status == 200
        assert (await before.submit(draft)).status == 200
        assert await before.state(number) == "submitted"
        assert (await before.withdraw(await before.draft(procedure))).status == 200
    draft, key = await administrator.draft("individual_new"), "the-same-key"
    corrected = await administrator.correct(draft["number"], 1, {"buyer": "B"}, key=key)
    assert corrected.status == 200
    for refused in (
        await before.confirm("individual_new", {}),
        await before.confirm("no_such_procedure", {}),
        await before.correct(draft["number"], 1, {"buyer": "B"}, key=key),
        await before.submit(corrected.body),
        await before.withdraw(corrected.body),
        *[await before.ask("GET", f"/applications/{draft['number']}{part}") for part in ("", "/timeline", "/changes")],
        await before.ask("GET", "/applications/2015-0901-0001"),
    ):
        assert (refused.status, refused.kind) == (403, "step-up-required")


@pytest.mark.requirement("R259", "H1")
async def test_every_look_at_the_list_is_recorded(platform: Platform, administrator: Front) -> None:
    user_id = administrator.caller.operator.user_id
    async with platform.hears(ApplicationListViewed) as spy:
        for _ in range(2):
            await administrator.list()
            said = await spy.next(operation="1-4")
            assert said["data"]["operator"]["user_id"] == user_id


@pytest.mark.requirement("R86", "P4")
async def test_what_was_applied_for_more_than_two_years_ago_is_gone_unless_it_is_open(
    platform: Platform, running: Runtime, administrator: Front
) -> None:
    old, young, waiting = [await administrator.submitted() for _ in range(3)]
    draft = await administrator.draft()
    for one in (old, young):
        await platform.nexi.publish(completed(one["number"]))
        await until(administrator, one["number"], "completed")
    now = datetime.now(JAPAN)
    leap_day = (now.month, now.day) == (2, 29)  # two years before which February had no such day
    border = datetime(now.year - 2, 3, 1, tzinfo=JAPAN) if leap_day else now.replace(year=now.year - 2)
    async with platform.owner("applications") as database:
        for number, moment in (
            (old["number"], border - timedelta(minutes=1)),
            (young["number"], border + timedelta(minutes=1)),
            (waiting["number"], border - timedelta(days=900)),
        ):
            await database.execute("update applications set submitted_at = $2 where number = $1", number, moment)
        await database.execute(
            "update applications set created_at = $2, saved_at = $2 where number = $1",
            draft["number"], border - timedelta(days=900),
        )  # fmt: skip
    assert set(await numbers(administrator)) == {young["number"], waiting["number"], draft["number"]}
    assert await administrator.state(waiting["number"]) == "submitted"
    assert (await administrator.ask("GET", f"/applications/{old['number']}")).status == 404


@pytest.mark.requirement("R199", "R20")
async def test_the_list_is_searched_filtered_sorted_and_paged(
    platform: Platform, administrator: Front, front: Any, code: str
) -> None:
    applicant = front(callers.applicant(code, 7))
    made = [
        (await administrator.draft("loss_notice"))["number"],
        (await administrator.submitted("buyer_registration"))["number"],
        (await applicant.submitted("payment_notice"))["number"],
        (await applicant.draft("electronic_application"))["number"],
    ]
    today = datetime.now(JAPAN).date()
    assert await numbers(administrator) == made[::-1]
    assert await numbers(administrator, order="asc") == made
    assert await numbers(administrator, number=made[2]) == [made[2]]
    assert await numbers(administrator, number=made[0][:4]) == made[::-1]
    assert await numbers(administrator, procedure=["loss_notice", "payment_notice"]) == [made[2], made[0]]
    assert await numbers(administrator, state="submitted") == [made[2], made[1]]
    assert await numbers(administrator, user_id=applicant.caller.operator.user_id) == [made[3], made[2]]
    assert await numbers(administrator, applied_from=today.isoformat(), applied_to=today.isoformat()) == made[2:0:-1]
    assert await numbers(administrator, applied_from=(today + timedelta(days=1)).isoformat()) == []
    assert await numbers(administrator, applied_to=(today - timedelta(days=1)).isoformat()) == []
    assert await numbers(administrator, sort="submitted_at", order="asc") == [*made[1:3], made[0], made[3]]
    assert await numbers(administrator, sort="saved_at", order="asc") == made
    by_kind = await numbers(administrator, sort="procedure", order="asc")
    assert by_kind == [made[1], made[3], made[0], made[2]]
    assert await numbers(administrator, sort="state", order="asc") == [made[0], made[3], made[1], made[2]]
    pages = [await administrator.list(size=3, page=page) for page in (1, 2, 3)]
    assert [[one["number"] for one in page.body["items"]] for page in pages] == [made[:0:-1], made[:1], []]
    assert {page.body["total"] for page in pages} == {4}


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0}, {"page": 100_001}, {"size": 101}, {"size": 0}, {"sort": "content"}, {"order": "up"}, {"q": "x"},
        {"state": "gone"}, {"applied_from": "2030-02-30"}, {"applied_from": "0001-01-01"}, {"number": "'; drop"},
        {"user_id": "x"},
    ],
)  # fmt: skip
async def test_a_wrong_question_names_its_field(administrator: Front, query: dict[str, Any]) -> None:
    reply = await administrator.list(**query)
    assert reply.status == 422
    assert [field.split(".")[:2] for field in reply.fields] == [["query", name] for name in query]


@pytest.mark.requirement("R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "P2")
async def test_every_procedure_of_the_catalogue_is_there(front: Any, administrator: Front, code: str) -> None:
    shown = {one["key"]: one for one in (await administrator.ask("GET", "/procedures")).body}
    recorded = {one["entry"] for one in shown.values()} | {one["application"] for one in shown.values()}
    assert recorded - {None} == {
        "2-1", "2-2", "2-3", "2-4", "3-1", "3-2", "3-3", "3-4", "4-1", "4-2", "5-1", "5-2", "6-1", "6-2", "6-4", "6-5",
        "7-1", "7-2", "7-3", "7-4", "7-5", "7-6", "9-2", "9-3", "9-4",
    }  # fmt: skip
    assert all(one["may_enter"] and one["may_apply"] for one in shown.values())
    seen = (await front(callers.applicant(code, entry=Entry.ENTER)).ask("GET", "/procedures")).body
    assert {one["key"] for one in seen if not one["may_enter"]} == {
        "policyholder_change", "account_registration", "account_change", "account_deletion",
    }  # fmt: skip
    assert not any(one["may_apply"] for one in seen)


@pytest.mark.requirement("P2", "R199")
async def test_each_procedure_of_a_front_end_runs_through_the_whole_engine(
    platform: Platform, administrator: Front
) -> None:
    shown = (await administrator.ask("GET", "/procedures")).body
    keys = [one["key"] for one in shown if one["carrier"] == "nexi" and one["key"] != "policyholder_change"]
    assert len(keys) == 14
    sent = [(await administrator.submitted(key, {"任意": ["の", {"内容": 1.5}]}))["number"] for key in keys]
    await platform.nexi.publish(*(completed(number) for number in sent))

    async def done() -> bool:
        return len(await numbers(administrator, state="completed", size=100)) == len(sent)

    await eventually(done)
