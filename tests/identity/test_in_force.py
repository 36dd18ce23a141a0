"""What was answered as done is in force in the other services too: the very next request is refused there (L9, C-5)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chassis.service import Runtime
from identity import access
from identity.store import users
from tests.identity.people import People, Person, new_password

DOORS = {"accounts": "/banks", "applications": "/procedures"}


async def log_out(person: Person) -> None:
    """The user leaves."""
    assert (await person.ask("DELETE", "/sessions/current")).body["in_force_from"] is None


async def change_password(person: Person) -> None:
    """The user chooses another password."""
    assert (await person.change_password(new_password())).body["in_force_from"] is None


async def disable(person: Person) -> None:
    """Somebody disables the user."""
    runtime = person.people.identity
    async with runtime.database.transaction() as tx:
        await users.set_enabled(tx, person.user_id, False)
        _, event = await access.end_all(tx, person.user_id[:9], person.user_id, "disabled")
    assert await runtime.revocations.in_force(event) is None


async def switch_one_time_passwords_on(person: Person) -> None:
    """From now on a one-time password is due."""
    runtime = person.people.identity
    await person.people.use_one_time_passwords(person.user_id[:9])
    async with runtime.database.transaction() as tx:
        event = await access.revoke_company(tx, person.user_id[:9])
    assert await runtime.revocations.in_force(event) is None


@pytest.fixture
async def others(people: People) -> list[tuple[Runtime, str]]:
    """Other services, each with a door that any Web user may open."""
    return [(await people.platform.start(name), path) for name, path in DOORS.items()]


@pytest.mark.requirement("R12", "R37", "L8", "L9", "O2", "C-5")
@pytest.mark.parametrize("end", [log_out, change_password, disable, switch_one_time_passwords_on])
async def test_the_next_request_in_another_service_is_refused(
    people: People, others: list[tuple[Runtime, str]], end: Callable[[Person], Awaitable[None]]
) -> None:
    person = await people.administrator()
    for service, path in others:
        assert (await person.ask("GET", path, to=service)).status == 200
    await end(person)
    answers = await asyncio.gather(
        *(person.ask("GET", path, to=service) for service, path in others for _ in range(50))
    )
    assert {answer.status for answer in answers} == {401}


@pytest.mark.requirement("R319", "R330", "O2", "O3")
async def test_the_gate_counts_in_every_service(people: People, others: list[tuple[Runtime, str]]) -> None:
    person = await people.administrator()
    await people.use_one_time_passwords(person.user_id[:9])
    await person.log_in()
    for service, path in others:
        closed = await person.ask("GET", path, to=service)
        assert (closed.status, closed.body["type"]) == (403, "/problems/step-up-required")
