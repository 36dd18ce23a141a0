"""However often and parallel something is asked, it happens once; who comes too late is told (C-4, C-7)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from chassis.service import Runtime
from contracts.applications import AccountProcedureSubmitted, DraftSaved
from tests.applications.fronts import ACCOUNT, Front, applied
from tests.support import callers
from tests.support.platform import Platform
from tests.support.scale import scaled


@pytest.mark.requirement("C-4", "P1", "P7")
async def test_parallel_submits_of_an_account_procedure_are_all_told_that_it_is_done(
    platform: Platform, administrator: Front, code: str
) -> None:
    draft = await administrator.draft("account_registration", ACCOUNT)
    async with platform.hears(AccountProcedureSubmitted) as spy:
        asking = asyncio.gather(*(administrator.submit(draft) for _ in range(16)))
        await spy.next(number=draft["number"])
        await platform.say("accounts", *[applied(draft["number"], code, uuid4()) for _ in range(3)])
        replies = await asking
        assert not [one for one in spy.seen if one["data"]["number"] == draft["number"]]
    assert {(reply.status, reply.body["state"]) for reply in replies} == {(200, "completed")}


@pytest.mark.chaos
@pytest.mark.requirement("C-7", "P1")
async def test_of_parallel_corrections_one_wins_and_the_others_are_told(
    platform: Platform, running: Runtime, front: Any, code: str
) -> None:
    """Everybody edits, and whoever is told that the version is stale looks and edits again: nothing is overwritten."""
    async with platform.running("applications") as second, platform.hears(DraftSaved) as spy:
        fronts: list[Front] = [front(callers.administrator(code), url) for url in (running.url, second.url)]
        draft = await fronts[0].draft(content={"by": None})
        await spy.next(number=draft["number"], version=1)
        for version in range(1, scaled(6, 200)):
            replies = await asyncio.gather(
                *(fronts[who % 2].correct(draft["number"], version, {"by": who}) for who in range(16))
            )
            assert sorted(reply.status for reply in replies) == [200] + [412] * 15
            (winner,) = (who for who, reply in enumerate(replies) if reply.status == 200)
            assert (await fronts[0].show(draft["number"]))["content"] == {"by": winner}
            loser = next(reply for reply in replies if reply.status == 412)
            assert (loser.kind, loser.body["current_version"]) == ("stale-version", version + 1)
            await spy.next(number=draft["number"], version=version + 1)
        assert not [one for one in spy.seen if one["data"]["number"] == draft["number"]]


@pytest.mark.chaos
@pytest.mark.requirement("C-7", "P1")
async def test_of_edits_that_build_on_each_other_none_is_lost(
    platform: Platform, running: Runtime, front: Any, code: str
) -> None:
    edits = scaled(5, 60)

    async def edit(person: Front, number: str, who: int) -> None:
        for mine in range(edits):
            while True:
                found = await person.show(number)
                wish = {"edits": [*found["content"]["edits"], [who, mine]]}
                if (await person.correct(number, found["version"], wish)).status == 200:
                    break

    async with platform.running("applications") as second:
        fronts: list[Front] = [front(callers.administrator(code), url) for url in (running.url, second.url)]
        number = (await fronts[0].draft(content={"edits": []}))["number"]
        await asyncio.gather(*(edit(fronts[who % 2], number, who) for who in range(4)))
        found = await fronts[0].show(number)
    assert found["version"] == 1 + 4 * edits
    assert sorted(found["content"]["edits"]) == [[who, mine] for who in range(4) for mine in range(edits)]


async def test_a_submit_and_a_correction_and_a_withdrawal_in_parallel_make_one_story(administrator: Front) -> None:
    for _ in range(6):
        draft = await administrator.draft()
        sent, corrected, withdrawn = await asyncio.gather(
            administrator.submit(draft),
            administrator.correct(draft["number"], 1, {"buyer": "B"}),
            administrator.withdraw(draft),
        )
        steps = (await administrator.ask("GET", f"/applications/{draft['number']}/timeline")).body
        done = [name for name, reply in
                (("submit", sent), ("correct", corrected), ("withdraw", withdrawn)) if reply.status == 200]  # fmt: skip
        assert len(done) == 1
        assert [one["step"] for one in steps] == ["confirm", *done]
        assert {sent.status, corrected.status, withdrawn.status} <= {200, 409, 412}


@pytest.mark.requirement("C-7", "P1")
async def test_a_stale_version_is_neither_submitted_nor_withdrawn(administrator: Front) -> None:
    draft = await administrator.draft()
    await administrator.correct(draft["number"], 1, {"buyer": "B"})
    for reply in (await administrator.submit(draft), await administrator.withdraw(draft)):
        assert (reply.status, reply.kind, reply.body["current_version"]) == (412, "stale-version", 2)
    now = await administrator.show(draft["number"])
    assert (await administrator.submit(now)).status == 200
    assert (await administrator.submit(draft)).status == 412
    reply = await administrator.correct(draft["number"], 2, {"buyer": "C"})
    assert (reply.status, reply.kind, reply.body["state"]) == (409, "wrong-state", "submitted")


@pytest.mark.requirement("C-4", "P1")
async def test_an_idempotency_key_gives_the_same_answer_and_refuses_another_body(
    platform: Platform, front: Any, administrator: Front
) -> None:
    async with platform.hears(DraftSaved) as spy:
        replies = await asyncio.gather(*(administrator.confirm("loss_notice", {"a": 1}, key="k1") for _ in range(16)))
        assert {reply.status for reply in replies} == {201}
        draft = replies[0].body
        assert all(reply.body == draft for reply in replies)
        await spy.next(number=draft["number"])
        other = await administrator.confirm("loss_notice", {"a": 2}, key="k1")
        assert (other.status, other.kind) == (422, "key-reused")
        assert (other.body["number"], other.body["version"]) == (draft["number"], 1)
        corrected = [await administrator.correct(draft["number"], 1, {"a": 2}, key="k2") for _ in range(2)]
        assert [(reply.status, reply.body["version"]) for reply in corrected] == [(200, 2), (200, 2)]
        sent = [await administrator.submit(corrected[0].body, key="k3") for _ in range(2)]
        assert sent[0].body == sent[1].body
        reused = await administrator.submit({"number": draft["number"], "version": 1}, key="k3")
        assert (reused.status, reused.kind) == (422, "key-reused")
        await spy.next(number=draft["number"], version=2)
        assert not [one for one in spy.seen if one["data"]["number"] == draft["number"]]
    stranger = await front(callers.applicant(draft["policyholder_code"])).confirm("loss_notice", {"a": 2}, key="k1")
    assert stranger.status == 201
    refused = await administrator.confirm("account_registration", {}, key="k4")
    assert refused.status == 422
    assert (await administrator.confirm("loss_notice", {}, key="k4")).status == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "日本", "a b"])
async def test_a_wrong_key_is_refused_by_name(administrator: Front, key: str) -> None:
    headers = {"Idempotency-Key": key}
    reply = await administrator.confirm("loss_notice", {}, headers=headers)
    assert (reply.status, list(reply.fields)) == (422, ["header.Idempotency-Key"])
