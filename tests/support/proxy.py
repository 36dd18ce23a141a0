"""A TCP proxy that can cut, freeze, mute or refuse, so that networks fail on demand."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Towards = Literal["server", "client"]


class Proxy:
    """Stands between a client and a server; with several ports before the first server that takes connections."""

    def __init__(self, host: str, *ports: int) -> None:
        self._targets = [(host, port) for port in ports]
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = _open()
        self._muted: list[asyncio.Event] = []
        self._budgets: dict[Towards, int] = {}
        self.refusing = False
        self.port = 0
        self.passed: Counter[Towards] = Counter()
        """Bytes that went through, in each direction."""

    def cut(self) -> None:
        """Break every connection now."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, bytes_passed: int, towards: Towards) -> None:
        """Break every connection when this many more bytes have passed in one direction; 0: at the next one."""
        self._budgets = {towards: bytes_passed}

    @property
    def armed(self) -> bool:
        """Whether the cut that was asked for is still to come."""
        return bool(self._budgets)

    def disarm(self) -> None:
        """Forget the cut that was asked for."""
        self._budgets = {}

    def freeze(self) -> None:
        """Keep connections open, let nothing through."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    def mute(self) -> None:
        """Keep the connections that there are open and let nothing more through them, for ever; new ones pass."""
        self._flowing.clear()
        self._muted.append(self._flowing)
        self._flowing = _open()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port while inside."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            for flowing in (self._flowing, *self._muted):
                flowing.set()
            server.close()
            self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        for target in self._targets:
            try:
                there, back = await asyncio.open_connection(*target)
                break
            except OSError:
                continue
        else:  # the server is away, and so are we
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        flowing = self._flowing
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, back, "server", flowing))
                tasks.create_task(self._pump(there, writer, "client", flowing))
        finally:
            self._writers -= {writer, back}
            for end in (writer, back):
                end.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, towards: Towards, flowing: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await flowing.wait()
                left = self._budgets.get(towards)
                cut = left is not None and len(data) > left
                if left is not None:
                    data = data[:left]
                    self._budgets[towards] = left - len(data)
                sink.write(data)
                self.passed[towards] += len(data)
                await sink.drain()
                if cut:
                    self.disarm()
                    await self._flushed(sink)
                    self.cut()
                    return
        sink.transport.abort()  # also after a reset: the server of a killed client would keep its transaction open

    async def _flushed(self, sink: asyncio.StreamWriter) -> None:
        """What was let through has left before the connection breaks."""
        while sink.transport.get_write_buffer_size():
            await asyncio.sleep(0)


def _open() -> asyncio.Event:
    flowing = asyncio.Event()
    flowing.set()
    return flowing
