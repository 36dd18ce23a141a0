"""What was answered as done is in force in every process of every service: no request succeeds any more (L9, C-5)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from chassis.revocations import Revocations
from chassis.service import Runtime
from tests.identity.administration.test_in_force import applicant_of, change_of
from tests.identity.conftest import trust
from tests.identity.people import Answer, People, Person, new_password
from tests.support.eventually import eventually
from tests.support.scale import scaled

DOORS = {"identity": "/logins", "accounts": "/banks", "applications": "/procedures", "audit": "/own-history"}
"""A door of each service that any Web user may open."""
GATED = {"/procedures": "/applications"}
"""A door behind the one-time password, where that of the service is free of it (R327)."""
LATE = scaled(40, 10_000)
"""Requests to every process after the answer."""
AT_ONCE = 4


@dataclass
class Pair:
    """An applicant whose token is used everywhere, and the administrator who may end that."""

    administrator: Person
    person: Person
    shown: dict[str, Any]


async def log_out(pair: Pair) -> Answer:
    return await pair.person.ask("DELETE", "/sessions/current")


async def end_the_others(pair: Pair) -> Answer:
    other = pair.person.elsewhere()
    await other.log_in()
    return await other.ask("DELETE", "/sessions/others")


async def change_the_password(pair: Pair) -> Answer:
    return await pair.person.change_password(new_password())


async def reset_the_password(pair: Pair) -> Answer:
    return await pair.administrator.ask("POST", f"/applicants/{pair.person.user_id}/password-reset")


async def disable(pair: Pair) -> Answer:
    wish = change_of(pair.shown, enabled=False)
    return await pair.administrator.ask("PUT", f"/applicants/{pair.person.user_id}", json=wish)


async def lower_the_permission(pair: Pair) -> Answer:
    wish = change_of(pair.shown, entry="none")
    return await pair.administrator.ask("PUT", f"/applicants/{pair.person.user_id}", json=wish)


async def use_one_time_passwords(pair: Pair) -> Answer:
    own = (await pair.administrator.ask("GET", "/administrator")).body
    wish = {name: own[name] for name in ("version", "email", "name", "phone", "department", "title")}
    return await pair.administrator.ask("PUT", "/administrator", json=wish | {"one_time_password": True})


@pytest.fixture
async def processes(people: People) -> AsyncIterator[list[tuple[Runtime, str]]]:
    """Every service, and a second process of identity, each with its door."""
    started = [(await people.platform.start(name), path) for name, path in DOORS.items()]
    async with people.platform.running("identity") as second, notifier(people) as last:
        await trust(people.platform, second)
        yield [*started, (second, DOORS["identity"]), (last, "/notices")]


@asynccontextmanager
async def notifier(people: People) -> AsyncIterator[Runtime]:
    """The notifier, with whose keys nobody shall seal here: tests could not read what is in its mails."""

    async def known() -> bool:
        query = "select exists (select from sealing_keys where key_id not like 'test-%')"
        return bool(await people.behind.fetchval(query))

    if people.platform.is_running("notifier"):  # for other tests: it told its keys when it started
        yield await people.platform.start("notifier")
        return
    async with people.platform.running("notifier") as runtime:
        await eventually(known)
        await people.know_keys()
        yield runtime


@dataclass
class Storm:
    """One access token, used at every process all the time; what became of requests that began after the answer."""

    person: Person
    processes: list[tuple[Runtime, str]]
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    early: set[int] = field(default_factory=set)
    late: list[int] = field(default_factory=list)

    async def during(self, work: Callable[[], Awaitable[Answer]]) -> None:
        """Let it rage while `work` is done, and on after its answer."""
        async with asyncio.TaskGroup() as tasks:
            for process, path in self.processes:
                for _ in range(AT_ONCE):
                    tasks.create_task(self._hammer(process, path, self.person.access_token))
            await asyncio.sleep(0.1)
            answer = await work()
            assert (answer.status, answer.body["in_force_from"]) == (200, None), answer
            self.answered.set()

    async def _hammer(self, process: Runtime, path: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        left = LATE // AT_ONCE
        while left:
            late = self.answered.is_set()
            status = (await self.person.ask("GET", path, to=process, headers=headers)).status
            if late:
                self.late.append(status)
                left -= 1
            else:
                self.early.add(status)


async def storm_of(
    people: People, processes: list[tuple[Runtime, str]], end: Callable[[Pair], Awaitable[Answer]]
) -> Storm:
    administrator = await people.administrator()
    person, shown = await applicant_of(people, administrator)
    storm = Storm(person, processes)
    await storm.during(lambda: end(Pair(administrator, person, shown)))
    assert 200 in storm.early, "before the end the token was good"
    return storm


@pytest.mark.chaos
@pytest.mark.requirement("R12", "R37", "L7", "L8", "L9", "O2", "C-5")
@pytest.mark.parametrize(
    "end",
    [
        log_out,
        end_the_others,
        change_the_password,
        reset_the_password,
        disable,
        lower_the_permission,
        use_one_time_passwords,
    ],
)
async def test_after_the_answer_no_request_succeeds_anywhere(
    people: People, processes: list[tuple[Runtime, str]], end: Callable[[Pair], Awaitable[Answer]]
) -> None:
    storm = await storm_of(people, processes, end)
    assert len(storm.late) == LATE * len(processes)
    assert set(storm.late) == {401}


@pytest.mark.requirement("L9", "C-5")
async def test_without_the_broadcast_requests_would_succeed(
    people: People, processes: list[tuple[Runtime, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Revocations, "stale", lambda *_: False)
    assert 200 in (await storm_of(people, processes, change_the_password)).late


@pytest.mark.requirement("R319", "R330", "O2", "O3")
async def test_the_gate_counts_in_every_service(people: People, processes: list[tuple[Runtime, str]]) -> None:
    person = await people.administrator()
    await people.use_one_time_passwords(person.user_id[:9])
    await person.log_in()
    for process, path in processes:
        closed = await person.ask("GET", GATED.get(path, path), to=process)
        assert (closed.status, closed.body["type"]) == (403, "/problems/step-up-required")
