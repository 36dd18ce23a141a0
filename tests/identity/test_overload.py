"""Hashing never starves the rest: few threads, a bounded queue, no connection held, and a word to come back later."""

import asyncio
import logging
import os
import threading
from typing import Any

import aiohttp
import pytest

from chassis.sql import Database
from identity.hashing import Hasher
from identity.settings import IdentitySettings
from tests.identity.conftest import trust
from tests.identity.people import People, Person, new_password
from tests.support import unique


async def test_a_full_queue_answers_503_and_the_others_succeed(people: People) -> None:
    person = await people.administrator()
    async with people.platform.running("identity", hashing_threads=1, hashing_queue=3) as small:
        answers = await asyncio.gather(*(person.elsewhere().try_login(to=small) for _ in range(30)))
    refused = [one for one in answers if one.status == 503]
    assert {one.status for one in answers} == {201, 503}
    assert len(answers) - len(refused) >= 4
    assert all(one.headers["Retry-After"] for one in refused)
    assert (await person.try_login()).status == 201, "nobody was counted as failed"


async def test_while_passwords_are_hashed_no_connection_is_held(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await people.administrator()
    gate = asyncio.Event()
    real = Hasher._run

    async def waiting(self: Hasher, work: Any) -> Any:
        await gate.wait()
        return await real(self, work)

    async with people.platform.running("identity", database_connections=2) as small:
        await trust(people.platform, small)
        monkeypatch.setattr(Hasher, "_run", waiting)
        strangers = [Person(people, f"{unique.policyholder_code()}000", "whatever") for _ in range(20)]
        tries = [asyncio.create_task(one.try_login(to=small)) for one in strangers]
        await asyncio.sleep(0.3)
        async with asyncio.timeout(5):
            assert (await person.ask("GET", "/me", to=small)).status == 200
        gate.set()
        assert {one.status for one in await asyncio.gather(*tries)} == {401}


async def test_hashing_threads_let_everybody_else_go_first(people: People) -> None:
    await (await people.register()).try_login()
    hashing = [thread for thread in threading.enumerate() if thread.name.startswith("hashing")]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert hashing
    assert all(os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) > own for thread in hashing)


async def test_without_the_database_nothing_is_allowed(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise ConnectionError("the database is away")

    person = await people.administrator()
    monkeypatch.setattr(Database, "execute", away)
    assert (await person.try_login()).status == 503


def test_weaker_hashing_than_owasps_is_refused_by_the_settings(people: People) -> None:
    good = people.platform.settings("identity").model_dump()
    for name, value in (("argon2_memory", 19455), ("argon2_time", 1), ("password_shortest", 7)):
        with pytest.raises(ValueError, match=name):
            IdentitySettings(**(good | {name: value}))


@pytest.mark.requirement("S-1")
async def test_no_secret_is_in_any_log_line(
    people: People, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    person = await people.administrator()
    wrong = new_password()
    await person.try_login(wrong)
    await person.change_password(wrong, current=person.password)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{people.identity.url}/sessions", data=b'{"password": "' + wrong.encode() + b'"}') as answer,
    ):
        assert answer.status == 415
    written = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("aiormq"))
    out, err = capfd.readouterr()
    for secret in (person.password, wrong, person.session_token, person.access_token):
        assert secret not in written + out + err
