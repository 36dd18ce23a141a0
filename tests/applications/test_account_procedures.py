"""Account procedures complete within the submitting request, or by themselves later; never twice (P7, R203 to R239)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from chassis.service import Runtime
from contracts.applications import AccountProcedureSubmitted, ApplicationCompleted
from tests.applications.fronts import ACCOUNT, Front, Reply, applied, completed, refused
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

CHANGE = ACCOUNT | {"account_id": str(uuid4()), "account_version": 1}
DELETION = {"account_id": CHANGE["account_id"], "account_version": 2}


@pytest.fixture(scope="module")
async def impatient(platform: Platform) -> AsyncIterator[Runtime]:
    """A process that hardly waits for accounts."""
    async with platform.running("applications", answer_seconds=0.2) as runtime:
        yield runtime


async def answered(platform: Platform, front: Front, draft: Any, word: Any, **options: Any) -> Reply:
    """Submit while accounts answers with `word(number)`."""
    async with platform.hears(AccountProcedureSubmitted) as spy:
        asking = asyncio.create_task(front.submit(draft, **options))
        await spy.next(number=draft["number"])
        await platform.say("accounts", word(draft["number"]))
        return await asking


@pytest.mark.requirement("R211", "R214", "R215", "R206", "P7")
async def test_a_registration_is_reflected_when_the_submission_is_answered(
    platform: Platform, administrator: Front, code: str
) -> None:
    draft = await administrator.draft("account_registration", ACCOUNT)
    assert draft["procedure_label"] == "口座登録"
    assert draft["content"] == ACCOUNT
    account_id = uuid4()
    reply = await answered(platform, administrator, draft, lambda number: applied(number, code, account_id))
    assert (reply.status, reply.body["state"]) == (200, "completed")
    assert reply.body["message"] == "お申込手続きおよび口座情報への反映を完了しました。"
    assert reply.body["account_id"] == str(account_id)


@pytest.mark.requirement("P7")
async def test_without_accounts_the_submission_is_accepted_and_completes_by_itself(
    platform: Platform, impatient: Runtime, front: Any, code: str
) -> None:
    administrator: Front = front(callers.administrator(code), impatient.url)
    draft = await administrator.draft("account_registration", ACCOUNT)
    reply = await administrator.submit(draft)
    assert (reply.status, reply.body["state"]) == (202, "submitted")
    assert reply.body["message"].startswith("お申込みを受け付けました。")
    await platform.say("accounts", applied(draft["number"], code))

    async def done() -> bool:
        return await administrator.state(draft["number"]) == "completed"

    await eventually(done)
    assert (await administrator.submit(draft)).status == 200


@pytest.mark.requirement("P7", "F5")
async def test_a_refusal_of_accounts_is_answered_with_its_reason(
    platform: Platform, administrator: Front, code: str
) -> None:
    draft = await administrator.draft("account_registration", ACCOUNT)
    reply = await answered(platform, administrator, draft, lambda number: refused(number, code, "登録済みです。"))
    assert (reply.status, reply.body["state"]) == (200, "rejected")
    assert (reply.body["reason"], reply.body["message"]) == ("登録済みです。", "登録済みです。")


@pytest.mark.requirement("P7")
async def test_the_answer_comes_also_when_another_process_hears_the_outcome(
    platform: Platform, running: Runtime, front: Any, code: str
) -> None:
    async with platform.running("applications", answer_seconds=10.0) as second:
        fronts = [front(callers.administrator(code), url) for url in (running.url, second.url)]
        for _ in range(2):
            for one in fronts:
                draft = await one.draft("account_registration", ACCOUNT)
                reply = await answered(platform, one, draft, lambda number: applied(number, code))
                assert (reply.status, reply.body["state"]) == (200, "completed")


@pytest.mark.requirement("R220", "R223", "R234", "P7")
@pytest.mark.parametrize(
    ("procedure", "content", "label", "words"),
    [
        ("account_change", CHANGE, "口座情報変更", "変更する口座情報について確認しました"),
        ("account_deletion", DELETION, "口座情報削除", "削除する口座情報について確認しました"),
    ],
)
async def test_change_and_deletion_need_the_ticked_check_box(
    platform: Platform, administrator: Front, code: str, procedure: str, content: Any, label: str, words: str
) -> None:
    draft = await administrator.draft(procedure, content)
    assert (draft["procedure_label"], draft["acknowledgement"]) == (label, words)
    for said in (None, False):
        reply = await administrator.submit(draft, acknowledged=said)
        assert (reply.status, reply.fields) == (422, {"body.acknowledged": "required"})
        assert words in reply.body["errors"][0]["message"]
    assert await administrator.state(draft["number"]) == "draft"
    reply = await answered(platform, administrator, draft, lambda number: applied(number, code), acknowledged=True)
    assert (reply.status, reply.body["state"]) == (200, "completed")


@pytest.mark.requirement("R225", "R226", "R235", "P7")
async def test_the_confirmation_warns_while_an_open_application_names_the_account(administrator: Front) -> None:
    account_id = str(uuid4())
    change = CHANGE | {"account_id": account_id}
    assert (await administrator.draft("account_change", change))["warnings"] == []
    await administrator.withdraw((await administrator.list()).body["items"][0])
    claim = await administrator.draft("payment_notice", {"claim": {"receiving": [{"account": account_id}]}})
    for procedure, content in (
        ("account_change", change),
        ("account_deletion", {"account_id": account_id, "account_version": 1}),
    ):
        draft = await administrator.draft(procedure, content)
        (warning,) = draft["warnings"]
        assert claim["number"] in warning["numbers"]
        assert "NEXIからの送金が行えません" in warning["message"]
        await administrator.withdraw(draft)
    await administrator.withdraw(claim)
    assert (await administrator.draft("account_change", change))["warnings"] == []


@pytest.mark.requirement("R225", "R226", "P7")
async def test_an_account_is_found_among_as_many_names_as_a_content_can_hold(administrator: Front) -> None:
    account_id = str(uuid4())
    many = [account_id, *(str(uuid4()) for _ in range(6500))]
    crowd = await administrator.draft("payment_notice", {"goods": many})
    draft = await administrator.draft("account_change", CHANGE | {"account_id": account_id})
    (warning,) = draft["warnings"]
    assert warning["numbers"] == [crowd["number"]]


@pytest.mark.requirement("R222", "R228")
async def test_what_changes_shows_the_account_as_our_applications_left_it(
    platform: Platform, administrator: Front, code: str
) -> None:
    account_id = uuid4()
    first = await administrator.draft("account_registration", ACCOUNT)
    await answered(platform, administrator, first, lambda number: applied(number, code, account_id))
    wish = CHANGE | {"account_id": str(account_id), "use": "claim_payment"}
    draft = await administrator.draft("account_change", wish)
    path = f"/applications/{draft['number']}/changes"
    items = {one["field"]: one for one in (await administrator.ask("GET", path)).body}
    assert items["use"] | {"label": ""} == {
        "field": "use", "label": "", "now": "保険料返還", "wished": "保険金請求", "changes": True,
    }  # fmt: skip
    assert not items["bank_code"]["changes"]
    done = await answered(
        platform, administrator, draft, lambda number: applied(number, code, account_id), acknowledged=True
    )
    assert done.body["state"] == "completed"
    assert {one["field"]: one for one in (await administrator.ask("GET", path)).body} == items


@pytest.mark.requirement("P6")
async def test_nobody_but_accounts_completes_an_account_procedure(
    platform: Platform, impatient: Runtime, front: Any, code: str
) -> None:
    administrator: Front = front(callers.administrator(code), impatient.url)
    draft = await administrator.draft("account_registration", ACCOUNT)
    assert (await administrator.submit(draft)).status == 202
    (event_id,) = await platform.nexi.publish(completed(draft["number"]))
    other = await platform.say("accounts", applied(draft["number"], "999999999"))

    async def reasons() -> dict[Any, str]:
        rows = await impatient.database.fetch("select id, reason from parked where id = any($1)", [event_id, *other])
        return {row["id"]: row["reason"] for row in rows} if len(rows) == 2 else {}

    found = await eventually(reasons)
    assert found[event_id] == "contradictory: this procedure is carried out by accounts"
    assert found[other[0]] == "contradictory: the application belongs to another policyholder"
    assert await administrator.state(draft["number"]) == "submitted"


@pytest.mark.requirement("P7")
async def test_a_bank_account_goes_no_further_than_to_the_service_that_carries_it_out(
    platform: Platform, administrator: Front, code: str
) -> None:
    draft = await administrator.draft("account_registration", ACCOUNT)
    async with platform.hears(ApplicationCompleted) as spy:
        await answered(platform, administrator, draft, lambda number: applied(number, code))
        assert (await spy.next(number=draft["number"]))["data"]["content"] == {}


@pytest.mark.requirement("R70", "R71", "R102", "R107", "P3")
@pytest.mark.parametrize(
    "procedure", ["account_registration", "account_change", "account_deletion", "policyholder_change"]
)
async def test_the_four_procedures_are_for_the_administrator(front: Any, code: str, procedure: str) -> None:
    content = {"account_registration": ACCOUNT, "account_change": CHANGE, "account_deletion": DELETION}
    reply = await front(callers.applicant(code)).confirm(procedure, content.get(procedure, {}))
    assert (reply.status, reply.kind) == (403, "forbidden")
