"""What operators see: life, readiness, counters, and an orderly end."""

import asyncio
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest

from chassis.http import connections
from chassis.sql import Database
from tests.chassis.http import sample
from tests.chassis.http.asking import ask, connected, exchange
from tests.chassis.http.sample import Sample
from tests.support.eventually import eventually


async def test_readiness_names_each_check_and_fails_with_one(database: Database) -> None:
    async def well() -> None:
        await database.fetchval("select 1")

    async def unwell() -> str:
        return "3 minutes behind"

    async def broken() -> None:
        raise ConnectionRefusedError("secret")

    async def stuck() -> None:
        await asyncio.sleep(60)

    checks = {"database": well, "lag": unwell, "broker": broken, "disk": stuck}
    told = {"database": "ok", "lag": "3 minutes behind", "broker": "ConnectionRefusedError", "disk": "TimeoutError"}
    async with sample.running(database, ready=checks) as service, aiohttp.ClientSession(service.url) as http:
        assert await ask(http, "GET", "/ready") == (503, {"ready": False, "checks": told})
    async with (
        sample.running(database, ready={"database": well}) as service,
        aiohttp.ClientSession(service.url) as http,
    ):
        assert await ask(http, "GET", "/ready") == (200, {"ready": True, "checks": {"database": "ok"}})


async def test_requests_are_counted_by_template_method_and_status(database: Database) -> None:
    async with sample.running(database) as service, aiohttp.ClientSession(service.url) as http:
        for path in ("/things/1", "/things/2", "/nowhere/1", "/nowhere/2"):
            await ask(http, "GET", path)
        async with http.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
    assert 'http_request_seconds_count{method="GET",route="(none)",status="404"} 2.0' in lines
    assert 'http_request_seconds_count{method="GET",route="/things/{number}",status="401"} 2.0' in lines
    assert "http_requests_in_flight 1.0" in lines


@pytest.mark.requirement("R-12")
async def test_who_is_about_to_stop_answers_and_sends_clients_elsewhere(database: Database) -> None:
    async with sample.running(database) as service, aiohttp.ClientSession(service.url) as http:
        async with http.get("/live") as answer:
            assert "Connection" not in answer.headers
        leaving = asyncio.create_task(service.serving.leave(30))
        await asyncio.sleep(0.1)
        async with http.get("/live") as answer:
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
        async with asyncio.timeout(10):  # nobody is connected any more, so there is nothing to wait for
            await leaving


async def test_stopping_lets_a_running_request_finish_and_takes_no_new_one(database: Database) -> None:
    async with sample.running(database) as service, aiohttp.ClientSession(service.url) as http:
        running = asyncio.create_task(ask(http, "GET", "/slow"))
        await asyncio.wait_for(service.notebook.begun.wait(), 10)
        stopping = asyncio.create_task(service.serving.stop())
        await eventually(lambda: refuses(service))
        service.notebook.released.set()
        assert await running == (204, None)
        await stopping
        assert service.notebook.finished == ["slow"]


async def test_a_handler_is_not_cancelled_because_its_client_left(database: Database) -> None:
    async with sample.running(database) as service:
        async with connected(service.serving.port) as (_, writer):
            writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(service.notebook.begun.wait(), 10)
        await eventually(lambda: deserted(service))
        service.notebook.released.set()

        async def finished() -> bool:
            return service.notebook.finished == ["slow"]

        await eventually(finished)


async def refuses(service: Sample) -> bool:
    """Whether it takes no new connection."""
    try:
        async with connected(service.serving.port):
            return False
    except OSError:
        return True


async def deserted(service: Sample) -> bool:
    """Whether it has noticed that nobody is connected any more."""
    return service.clients() == 0


async def test_an_idle_connection_is_closed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.http.server.KEEPALIVE_SECONDS", 0.3)
    async with sample.running(database) as service:
        answer = await exchange(service.serving.port, b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.endswith(b"live")


async def test_a_client_that_does_not_read_is_cut_off(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.5)
    async with sample.running(database) as service, connected(service.serving.port) as (reader, writer):
        writer.write(b"GET /export?limit=100 HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        await asyncio.wait_for(reader.read(1), 10)
        await eventually(lambda: deserted(service))
        received = 0
        with suppress(ConnectionError):
            while chunk := await asyncio.wait_for(reader.read(65_536), 5):
                received += len(chunk)
        assert received < 1000 * 39_000


async def test_connections_are_limited(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    async with sample.running(database) as service, AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connected(service.serving.port)) for _ in range(4)]
        assert await asyncio.wait_for(opened[3][0].read(), 10) == b""
        opened[0][1].write(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in await asyncio.wait_for(opened[0][0].readline(), 10)


async def test_the_parser_written_in_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.http_parser, "HttpRequestParser", connections.http_parser.HttpRequestParserPy)
    with pytest.raises(RuntimeError, match="C parser"):
        connections.check_parser()
