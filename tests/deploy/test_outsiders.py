"""An outsider waits for a gateway that starts again, and never says a request twice that may have been done."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from deploy.local.outsiders import Outside
from deploy.local.refusals import Refusal
from tests.support.ports import free_port

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """An outsider who knows one gateway, which nobody serves yet."""
    async with aiohttp.ClientSession() as http:
        yield Outside({"services": {"accounts": {"urls": [f"http://127.0.0.1:{free_port()}"]}}}, http)


def port(outside: Outside) -> int:
    """Where the gateway is expected."""
    return int(outside.gateway("accounts").rpartition(":")[2])


async def test_a_gateway_that_starts_again_and_is_busy_at_first_is_waited_for(outside: Outside) -> None:
    statuses = [200, 503]

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.json_response({"path": request.path}, status=statuses.pop())

    asked = asyncio.create_task(outside.call("GET", "accounts", "/accounts"))
    await asyncio.sleep(0.3)
    assert not asked.done()
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port(outside)).start()
    try:
        assert await asked == {"path": "/accounts"}
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_request_whose_answer_is_lost_is_not_said_again(outside: Outside, method: str) -> None:
    heard = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (ANSWER, b""):
            heard.append((await reader.readuntil(b"\r\n\r\n")).split()[0].decode())
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", port(outside)):
        await outside.call("GET", "accounts", "/accounts")
        with pytest.raises(Refusal, match=f"accounts went away during {method} /accounts; whether it was done is unk"):
            await outside.call(method, "accounts", "/accounts")
    assert heard == ["GET", method]
