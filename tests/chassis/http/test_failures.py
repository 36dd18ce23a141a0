"""What fails inside is answered without a word of it, logged without data, and passes when it can (503)."""

import asyncio

import aiohttp
import asyncpg
import pytest
import structlog

from chassis import sql
from chassis.http import Busy, InternalError
from chassis.http.failures import problem_of
from tests.chassis.http.asking import READER, ask
from tests.chassis.http.sample import Sample
from tests.support import unique


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # a warning is not enough: it must not be answered
@pytest.mark.parametrize("path", ["/broken", "/wrong-shape"])
async def test_an_unexpected_exception_tells_the_caller_nothing_and_the_log_where(
    http: aiohttp.ClientSession, path: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        status, problem = await ask(http, "GET", path)
    assert (status, problem["type"]) == (500, "/problems/internal-error")
    (entry,) = [one for one in logs if one.get("route") == path]  # other services of this process log too
    assert entry["log_level"] == "error"
    assert entry["at"]
    assert "secret" not in str(problem) + str(logs)


async def test_an_error_of_the_database_shows_neither_its_text_nor_its_values(http: aiohttp.ClientSession) -> None:
    word = unique.word()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            _, told = await ask(http, "POST", "/promises", json={"word": word})
    assert told["status"] == 500
    (entry,) = [one for one in logs if one.get("route") == "/promises"]
    assert (entry["sqlstate"], entry["constraint_name"]) == ("23505", "promises_word_key")
    assert word not in str(told) + str(logs)


async def test_a_full_pool_is_busy_and_says_when_to_come_again(gateway: Sample, http: aiohttp.ClientSession) -> None:
    held = [gateway.database.acquire() for _ in range(4)]
    for one in held:
        await one.__aenter__()
    try:
        async with http.get("/things", headers=READER) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    finally:
        for one in held:
            await one.__aexit__(None, None, None)
    assert (await ask(http, "GET", "/things", headers=READER))[0] == 200


async def test_a_connection_killed_under_the_handler_is_busy_and_the_next_request_works(
    gateway: Sample, http: aiohttp.ClientSession
) -> None:
    word = unique.word()
    async with gateway.database.transaction() as tx:
        await tx.execute("insert into promises (word) values ($1)", word)
        waiting = asyncio.create_task(ask(http, "POST", "/promises", json={"word": word}))
        find = "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while not (pid := await gateway.database.fetchval(find)):
            await asyncio.sleep(0.01)
        await gateway.database.execute("select pg_terminate_backend($1)", pid)
        assert (await waiting)[0] == 503
    assert (await ask(http, "GET", "/things", headers=READER))[0] == 200


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), Busy),
        (sql.Busy(), Busy),
        (ConnectionRefusedError(), Busy),
        (asyncpg.ConnectionDoesNotExistError(), Busy),
        (asyncpg.CannotConnectNowError(), Busy),
        (asyncpg.TooManyConnectionsError(), Busy),
        (asyncpg.ReadOnlySQLTransactionError(), Busy),
        (asyncpg.DeadlockDetectedError(), Busy),
        (asyncpg.SerializationError(), Busy),
        (asyncpg.QueryCanceledError(), Busy),
        (asyncpg.InterfaceError("connection is closed"), Busy),
        (asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"), Busy),
        (asyncpg.InterfaceError("the server expects 1 argument"), InternalError),
        (asyncpg.UniqueViolationError(), InternalError),
        (FileNotFoundError(), InternalError),
        (ValueError(), InternalError),
    ],
)
def test_what_goes_away_by_itself_is_busy(error: Exception, kind: type) -> None:
    assert type(problem_of(error)) is kind
