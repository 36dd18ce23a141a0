"""Proxies in front of the servers, and every place at which a conversation through one can be cut."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tests.support.proxy import Proxy, Towards


def through(proxy: Proxy, url: str) -> str:
    """The same URL by way of the proxy."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}"))


def proxy_of(url: str) -> Proxy:
    """A proxy in front of the server a URL names."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return Proxy(parts.hostname, parts.port)


@dataclass(frozen=True)
class Conversation:
    """How many bytes go each way when nothing is cut."""

    server: int
    client: int

    def cuts(self, stride: int) -> Iterator[tuple[Towards, int]]:
        """Every `stride`-th byte of both directions, and always the last ones."""
        lengths: tuple[tuple[Towards, int], ...] = (("server", self.server), ("client", self.client))
        for towards, length in lengths:
            for place in sorted({*range(0, length, stride), length - 1}):
                yield towards, place


async def overheard(proxy: Proxy, talk: Callable[[], Awaitable[object]]) -> Conversation:
    """Let one whole conversation pass and count."""
    await quiet(proxy)
    before = proxy.passed.copy()
    await talk()
    await quiet(proxy)
    spoken = proxy.passed - before
    return Conversation(spoken["server"], spoken["client"])


async def quiet(proxy: Proxy) -> None:
    """Nothing has passed for a moment."""
    while True:
        before = proxy.passed.copy()
        await asyncio.sleep(0.03)
        if proxy.passed == before:
            return
