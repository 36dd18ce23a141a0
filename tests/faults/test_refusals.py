"""What the broker refuses waits with its reason and holds up nobody; it leaves once the broker takes it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp
import pytest

from chassis.amqp import outlet, relay
from chassis.amqp.topology import definitions
from chassis.service import Runtime
from chassis.sql import Database
from tests.faults.victim import Noted, Undeclared, Unheard
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

pytestmark = pytest.mark.requirement("R-1", "H2")


def heard(database: Database, word: str) -> Callable[[], Awaitable[bool]]:
    """Whether a word has come back."""

    async def ask() -> bool:
        return bool(await database.fetchval("select true from heard where word = $1", word))

    return ask


async def say(runtime: Runtime, *wishes: Unheard | Undeclared) -> str:
    """Commands first, then an event; answers the event's word."""
    word = unique.word()
    async with runtime.database.transaction() as tx:
        for wish in wishes:
            tx.emit(wish)
        tx.emit(Noted(word=word))
    return word


async def waiting(database: Database) -> dict[str, str | None]:
    """What waits in the outbox, and why."""
    return {row["type"]: row["refused"] for row in await database.fetch("select type, refused from outbox")}


async def test_a_command_that_may_not_be_sent_rests_until_it_may(
    house: Platform, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet, "REFUSED_SECONDS", 0.5)
    async with house.running("victim") as runtime:
        for _ in range(3):
            word = await say(runtime, Undeclared(word="no"))
            await eventually(heard(runtime.database, word))

        async def explained() -> bool:
            found = await waiting(runtime.database)
            return list(found) == ["victim.undeclared"] and "ACCESS_REFUSED" in str(found["victim.undeclared"])

        await eventually(explained)
        async with client.get(f"{runtime.url}/ready") as answer:
            assert "victim.undeclared" in (await answer.json())["checks"]["outbox"]
        told = replace(house.services["victim"], sends=[Unheard, Undeclared], outlets={"nexi.sink": [Undeclared]})
        await house.cluster.apply_definitions(definitions([told], {}, platform=house.host, partner=house.partner_host))

        async def gone() -> bool:
            return not await waiting(runtime.database)

        await eventually(gone)


async def test_what_no_queue_takes_does_not_fill_the_windows_of_the_others(
    house: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WINDOW", 10)
    async with house.running("victim") as runtime:
        word = await say(runtime, *(Unheard(word="no") for _ in range(25)))
        await eventually(heard(runtime.database, word))

        async def explained() -> bool:
            return await waiting(runtime.database) == {"victim.unheard": "no queue takes it"}

        await eventually(explained)
        monkeypatch.setattr(outlet.Outlet, "resting", lambda _self: [])  # the mutant
        word = await say(runtime)
        with pytest.raises(AssertionError):
            await eventually(heard(runtime.database, word), timeout=3)
        monkeypatch.undo()
        await runtime.database.execute("delete from outbox where type = 'victim.unheard'")
        await eventually(heard(runtime.database, word))
