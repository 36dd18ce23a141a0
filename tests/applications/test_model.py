"""Whatever people, NEXI and kills do in whatever order, the engine and a model of thirty lines agree (P1, P6)."""

import asyncio
from collections.abc import Callable
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chassis.messages import Event
from contracts.applications import (
    ApplicationCompleted,
    ApplicationRejected,
    ApplicationSubmitted,
    DraftSaved,
    DraftWithdrawn,
)
from tests.applications.fronts import Front, completed, rejected
from tests.applications.lives import OUTCOMES, Modelled, World
from tests.applications.words import report
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.scale import scaled

SAID = (DraftSaved, ApplicationSubmitted, DraftWithdrawn, ApplicationCompleted, ApplicationRejected)
LIVES = scaled(12, 150)
KILLS = scaled(3, 100)


class LifeOfApplications(RuleBasedStateMachine):
    """Everything that can happen to a few applications of one policyholder."""

    world: ClassVar[World]
    applications = Bundle("applications")

    @initialize()
    def sign_in(self) -> None:
        self.people = callers.administrator(unique.policyholder_code())
        self.modelled: dict[str, Modelled] = {}
        self.said: list[tuple[UUID, str, str]] = []
        self.killed = False

    @property
    def person(self) -> Front:
        return self.world.front(self.people, self.world.url)

    @rule(target=applications)
    def confirm(self) -> str:
        number = str(self.world.do(self.person.draft(content={"n": 0}))["number"])
        assert number not in self.modelled
        self.modelled[number] = Modelled()
        return number

    @rule(
        number=applications, lag=st.sampled_from([0, 0, 0, 1, -1]), content=st.integers(0, 9), times=st.integers(1, 2)
    )
    def correct(self, number: str, lag: int, content: int, times: int) -> None:
        version = max(1, self.modelled[number].version - lag)
        for _ in range(times):
            reply = self.world.do(self.person.correct(number, version, {"n": content}))
            assert reply.status == self.modelled[number].correct(version, content)

    @rule(number=applications, lag=st.sampled_from([0, 0, 0, 1]), times=st.integers(1, 3))
    def submit(self, number: str, lag: int, times: int) -> None:
        version = max(1, self.modelled[number].version - lag)
        asked = {"number": number, "version": version}

        async def together() -> list[int]:
            return [reply.status for reply in await asyncio.gather(*(self.person.submit(asked) for _ in range(times)))]

        statuses = self.world.do(together())
        assert statuses == [self.modelled[number].submit(version) for _ in range(times)]
        self.settle(number)

    @rule(number=applications, times=st.integers(1, 2))
    def withdraw(self, number: str, times: int) -> None:
        version = self.modelled[number].version
        for _ in range(times):
            reply = self.world.do(self.person.withdraw({"number": number, "version": version}))
            assert reply.status == self.modelled[number].withdraw(version)

    @rule(number=applications, word=st.sampled_from(list(OUTCOMES)), over_http=st.booleans())
    def nexi_says(self, number: str, word: str, over_http: bool) -> None:
        event_id = uuid4()
        self.said.append((event_id, number, word))
        assert self.deliver(event_id, number, word, over_http) in (None, self.modelled[number].hear(word))

    @precondition(lambda self: self.said)
    @rule(which=st.integers(0, 100), over_http=st.booleans())
    def nexi_says_again(self, which: int, over_http: bool) -> None:
        assert self.deliver(*self.said[which % len(self.said)], over_http) in (None, "repeated")

    @precondition(lambda self: not self.killed and len(self.modelled) > 1)
    @rule()
    def kill(self) -> None:
        """At most once in a life, and only so often in all, because a start takes its time."""
        self.killed = True
        if self.world.kills < KILLS:
            self.world.do(self.world.kill())

    def deliver(self, event_id: UUID, number: str, word: str, over_http: bool) -> str | None:
        """What NEXI's HTTP door answers; None over AMQP, as soon as it was heard."""
        message = completed(number) if word == "complete" else rejected(number)
        if over_http:
            nexi = self.world.front(callers.partner(), self.world.url)
            return str(self.world.do(nexi.ask("POST", "/nexi/events", json=report(message, event_id))).body["outcome"])

        async def heard() -> bool:
            return bool(await self.world.database.fetchval("select exists (select from inbox where id = $1)", event_id))

        self.world.do(self.world.platform.nexi.publish(message, ids=[event_id]))
        self.world.do(eventually(heard))
        return None

    def settle(self, number: str) -> None:
        """An early word is acted upon shortly after the submission, not within it."""
        one = self.modelled[number]
        awaited = {OUTCOMES[word]: word for word in one.early} if one.state == "submitted" else {}

        async def reached() -> str | None:
            state = await self.person.state(number)
            return state if state in (awaited or {one.state}) else None

        state = self.world.do(eventually(reached))
        if awaited:
            one.hear(awaited[state])

    def teardown(self) -> None:
        if not getattr(self, "modelled", None):
            return
        for number, expected in self.modelled.items():
            shown = self.world.do(self.person.show(number))
            assert (shown["state"], shown["version"], shown["content"]) == (
                expected.state, expected.version, {"n": expected.content},
            )  # fmt: skip
            steps = self.world.do(self.person.ask("GET", f"/applications/{number}/timeline")).body
            assert [one["step"] for one in steps] == expected.steps
        listed = self.world.do(self.person.list(size=100)).body["items"]
        assert {one["number"] for one in listed} == {
            number for number, one in self.modelled.items() if one.state != "withdrawn"
        }
        self.check_what_was_said()

    def check_what_was_said(self) -> None:
        """Each step was said exactly once, and nothing else."""
        words: dict[str, type[Event]] = {
            "confirm": DraftSaved, "correct": DraftSaved, "submit": ApplicationSubmitted,
            "withdraw": DraftWithdrawn, "complete": ApplicationCompleted, "reject": ApplicationRejected,
        }  # fmt: skip
        expected = sorted(
            (number, words[step].wire_type()) for number, one in self.modelled.items() for step in one.steps
        )

        def said() -> list[tuple[str, str]]:
            distinct = {  # a kill may let an event be published again, always under its own id
                one["id"]: (one["data"]["number"], one["type"])
                for one in self.world.spy.seen
                if one["data"]["number"] in self.modelled
            }
            return sorted(distinct.values())

        async def all_said() -> bool:
            return len(said()) >= len(expected)

        self.world.do(eventually(all_said))
        assert said() == expected


@pytest.mark.chaos
@pytest.mark.requirement("P1", "P6", "W7", "R-4")
async def test_the_engine_and_the_model_agree(platform: Platform, front: Callable[..., Front]) -> None:
    async with platform.hears(*SAID) as spy, platform.nexi, platform.owner("applications") as database:
        world = World(platform, front, spy, database)
        LifeOfApplications.world = world
        await world.start()
        try:
            effort = settings(
                max_examples=LIVES,
                stateful_step_count=24,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            await asyncio.to_thread(run_state_machine_as_test, LifeOfApplications, settings=effort)
        finally:
            await world.stop()
    print(f"lives {LIVES}, kills {world.kills}: no divergence")
