"""A TCP proxy that can cut, freeze or refuse, so that networks fail on demand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Stands between a client and a server on loopback."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._budget: int | None = None
        self.refusing = False
        self.port = 0
        self.passed = 0

    def cut(self) -> None:
        """Break every connection now."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, bytes_passed: int) -> None:
        """Break every connection when this many more bytes have passed, in either direction."""
        self._budget = bytes_passed

    def freeze(self) -> None:
        """Keep connections open, let nothing through."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port while inside."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.thaw()
            server.close()
            self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, back))
                tasks.create_task(self._pump(there, writer))
        finally:
            self._writers -= {writer, back}
            for end in (writer, back):
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._flowing.wait()
                if self._budget is not None:
                    allowed, self._budget = data[: self._budget], self._budget - len(data)
                    sink.write(allowed)
                    if self._budget <= 0:
                        self._budget = None
                        with suppress(ConnectionError):
                            await sink.drain()
                        self.cut()
                        return
                else:
                    sink.write(data)
                self.passed += len(data)
                await sink.drain()
            sink.transport.abort()
