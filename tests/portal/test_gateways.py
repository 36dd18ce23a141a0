"""The portal's client of the gateways: what a lost connection becomes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from portal.gateways import Gateway, Gateways, Unavailable
from portal.settings import PortalSettings

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Fickle:
    """A gateway that answers the first request of each connection and hangs up on the second."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            for answer in (ANSWER, b""):
                self.heard.append((await reader.readuntil(b"\r\n\r\n")).split()[0].decode())
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass  # the client left first
        writer.close()


@pytest.fixture
async def fickle() -> AsyncIterator[tuple[Fickle, Gateways]]:
    """Such a gateway, and the portal's client of it."""
    fickle = Fickle()
    async with await asyncio.start_server(fickle.serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gateways = Gateways(PortalSettings(secret="s" * 32, **{f"{one}_url": url for one in Gateway}))
        yield fickle, gateways
        await gateways.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_a_change_whose_answer_is_lost_is_not_said_again(fickle: tuple[Fickle, Gateways], method: str) -> None:
    gateway, gateways = fickle
    await gateways.ask(Gateway.IDENTITY, "GET", "/me", {})
    with pytest.raises(Unavailable):
        await gateways.ask(Gateway.IDENTITY, method, "/password", {})
    assert gateway.heard == ["GET", method]


async def test_reading_is_repeated(fickle: tuple[Fickle, Gateways]) -> None:
    gateway, gateways = fickle
    for _ in range(2):
        assert await gateways.ask(Gateway.IDENTITY, "GET", "/me", {}) == {}
    assert gateway.heard == ["GET", "GET", "GET"]
