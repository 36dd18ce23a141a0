"""Each guard is needed: with one taken out, the bar that it holds is seen to break."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

import pytest

from applications.api import drafts, submissions
from applications.rules.lifecycle import Step
from applications.store import applications, numbers, requests, transitions
from applications.store.rows import Application
from applications.store.transitions import Who, _taking
from chassis.sql import Database, Tx
from chassis.sql.database import _write_outbox
from contracts.applications import ApplicationSubmitted
from tests.applications.fronts import Front, completed
from tests.applications.test_numbers import lonely_day, shift_to
from tests.applications.words import report
from tests.support import callers, unique
from tests.support.platform import Platform


async def statuses(asked: list[Any]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(reply.status for reply in await asyncio.gather(*asked))


async def steps(front: Front, number: str) -> Counter[str]:
    """How often each step was taken."""
    told = (await front.ask("GET", f"/applications/{number}/timeline")).body
    return Counter(one["step"] for one in told)


@pytest.mark.requirement("C-4")
async def test_without_the_state_in_its_statement_a_submission_happens_twice(
    administrator: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(tx: Tx, number: str, version: int, before: Any, who: Who, at: datetime) -> Application | None:
        await asyncio.sleep(0.05)
        return await _taking(
            tx, Step.SUBMIT, who, at,
            "update applications set state = $2, submitted_at = $3, submitted_by = $4, before = $7"
            " where number = $5 and version = $6 returning *",
            number, version, before,
        )  # fmt: skip

    monkeypatch.setattr(transitions, "submit", unguarded)
    draft = await administrator.draft()
    await statuses([administrator.submit(draft) for _ in range(8)])
    assert (await steps(administrator, draft["number"]))["submit"] > 1


@pytest.mark.requirement("C-7")
async def test_without_the_version_in_its_statement_a_correction_overwrites_another(
    administrator: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(
        tx: Tx, number: str, version: int, content: Any, names: Any, who: Who, at: datetime
    ) -> Application | None:
        return await _taking(
            tx, Step.CORRECT, who, at,
            "update applications set state = $2, version = version + 1, content = $6, names = $7, saved_at = $3"
            " where number = $5 and state = 'draft' returning *",
            number, content, names,
        )  # fmt: skip

    monkeypatch.setattr(transitions, "correct", unguarded)
    number = (await administrator.draft())["number"]
    asked = [administrator.correct(number, 1, {"by": who}) for who in range(8)]
    assert (await statuses(asked))[200] > 1


@pytest.mark.requirement("C-4")
async def test_without_the_claim_on_its_key_a_request_is_done_twice(
    administrator: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(*_: object) -> bool:
        return True

    monkeypatch.setattr(requests, "claim", unguarded)
    replies = await asyncio.gather(*(administrator.confirm("loss_notice", {}, key="mutant") for _ in range(4)))
    assert len({reply.body["number"] for reply in replies}) > 1


@pytest.mark.requirement("W7")
async def test_with_a_counter_of_two_statements_numbers_are_given_twice(
    platform: Platform, front: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(database: Database, day: date, *_: object) -> int:
        taken: int = await database.fetchval("select coalesce(max(serial), 0) from applications where day = $1", day)
        return taken + 1

    monkeypatch.setattr(numbers, "allot", unguarded)
    shift, _ = shift_to(lonely_day())
    async with platform.running("applications", clock_shift_seconds=shift) as then:
        person = front(callers.administrator(code), then.url)
        found = await statuses([person.confirm("loss_notice", {}) for _ in range(16)])
    assert found[500] > 0  # only the unique constraint is left to stop it


async def test_without_a_look_at_the_scope_a_stranger_sees_everything(
    administrator: Front, front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await administrator.draft()
    stranger = front(callers.administrator(unique.policyholder_code()))
    assert (await stranger.submit(draft)).status == 404
    found = drafts.handled

    async def unguarded(tx: Tx, _caller: Any, number: str, now: datetime) -> Application:
        return await found(tx, administrator.caller, number, now)

    monkeypatch.setattr(submissions, "handled", unguarded)
    assert (await stranger.submit(draft)).status == 200


@pytest.mark.requirement("C-8")
async def test_without_lock_and_state_a_completion_happens_twice(
    platform: Platform, administrator: Front, front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unlocked(tx: Tx, number: str) -> Application | None:
        found = await applications.numbered(tx, number)
        await asyncio.sleep(0.05)
        return found

    async def unguarded(tx: Tx, number: str, who: Who, at: datetime, **said: Any) -> Application | None:
        return await _taking(
            tx, Step.COMPLETE, who, at,
            "update applications set state = $2, finished_at = $3 where number = $5 returning *",
            number,
        )  # fmt: skip

    monkeypatch.setattr(applications, "held", unlocked)
    number = (await administrator.submitted())["number"]
    nexi = front(callers.partner())
    asked = [nexi.ask("POST", "/nexi/events", json=report(completed(number))) for _ in range(4)]
    with monkeypatch.context() as without:
        without.setattr(transitions, "complete", unguarded)
        await asyncio.gather(*asked)
    assert (await steps(administrator, number))["complete"] > 1


@pytest.mark.requirement("R-4")
async def test_with_events_written_after_the_commit_a_cut_between_loses_them(
    platform: Platform, front: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def in_two_steps(database: Database, *_: object) -> AsyncIterator[Tx]:
        async with database.acquire() as connection:
            async with connection.transaction():
                tx = Tx(connection)
                yield tx
            if any(isinstance(message, ApplicationSubmitted) for _, message in tx.emitted):
                connection.terminate()  # the kill of the bar, at its worst moment
            await _write_outbox(connection, tx.emitted)

    async with platform.running("applications") as victim, platform.hears(ApplicationSubmitted) as spy:
        person = front(callers.administrator(code), victim.url)
        monkeypatch.setattr(Database, "transaction", in_two_steps)
        draft = await person.draft()
        assert (await person.submit(draft)).status >= 500
        monkeypatch.undo()
        assert await person.state(draft["number"]) == "submitted"
        await spy.next(number=(await person.submitted())["number"])
        assert not [one for one in spy.seen if one["data"]["number"] == draft["number"]], "nobody would ever hear of it"
