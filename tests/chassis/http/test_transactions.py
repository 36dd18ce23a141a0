"""A problem raised rolls back, a problem returned commits, and only a commit makes an answer a success (law 3)."""

import aiohttp
import pytest

from tests.chassis.http.asking import ask
from tests.chassis.http.sample import Sample
from tests.support import unique


@pytest.mark.parametrize(
    ("ending", "status", "kept"), [("answer", 204, 1), ("return", 409, 1), ("raise", 409, 0), ("break", 500, 0)]
)
async def test_how_a_handler_ends_decides_what_stays(
    gateway: Sample, http: aiohttp.ClientSession, ending: str, status: int, kept: int
) -> None:
    word = unique.word()
    answered, _ = await ask(http, "POST", "/attempts", json={"word": word, "ending": ending})
    found = await gateway.database.fetchval("select count(*) from attempts where word = $1", word)
    assert (answered, found) == (status, kept)


async def test_a_commit_that_fails_is_never_answered_as_a_success(gateway: Sample, http: aiohttp.ClientSession) -> None:
    word = unique.word()
    answers = [await ask(http, "POST", "/promises", json={"word": word}) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 500]
    assert word not in str(answers[1][1])
    assert await gateway.database.fetchval("select count(*) from promises where word = $1", word) == 1


async def test_no_connection_is_held_while_a_slow_body_arrives(gateway: Sample, http: aiohttp.ClientSession) -> None:
    async def body() -> object:
        yield b'{"word":'
        for _ in range(4):
            async with gateway.database.acquire():
                pass
        held = [gateway.database.acquire() for _ in range(4)]
        for one in held:
            await one.__aenter__()
        for one in held:
            await one.__aexit__(None, None, None)
        yield b'"%s"}' % unique.word().encode()

    status, _ = await ask(http, "POST", "/attempts", data=body(), headers={"Content-Type": "application/json"})
    assert status == 204
