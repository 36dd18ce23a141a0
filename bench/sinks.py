"""Mail servers in a process of their own that take everything and keep nothing: a fast one, and aiosmtpd."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

REPLIES = {b"EHLO": b"250 sink\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Counted:
    """How many mails a sink took, and the moments (seconds of the monotonic clock) of the first and the last."""

    def __init__(self) -> None:
        self._shared: Any = multiprocessing.get_context("spawn").Array("d", 3, lock=False)

    def clear(self) -> None:
        """Count from zero."""
        self._shared[:] = (0.0, 0.0, 0.0)

    def one_more(self) -> None:
        """A mail was taken."""
        now = time.monotonic()
        if not self._shared[0]:
            self._shared[1] = now
        self._shared[0] += 1
        self._shared[2] = now

    @property
    def mails(self) -> int:
        """So far."""
        return int(self._shared[0])

    @property
    def rate(self) -> float:
        """Mails a second, from the first to the last."""
        return float((self._shared[0] - 1) / (self._shared[2] - self._shared[1]))


class Fast(asyncio.Protocol):
    """As little SMTP as a client needs that makes no mistakes; some 30 µs a mail."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._rest = b""
        self._text = False

    def connection_made(self, transport: Any) -> None:
        """Greet."""
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole line, or the end of a text."""
        self._rest += data
        replies = b""
        while True:
            line, found, rest = self._rest.partition(b"\r\n.\r\n" if self._text else b"\r\n")
            if not found:
                break
            self._rest = rest
            if self._text:
                self._counted.one_more()
                replies += b"250 kept\r\n"
                self._text = False
            else:
                replies += REPLIES.get(line[:4].upper(), b"250 ok\r\n")
                self._text = line[:4].upper() == b"DATA"
        self._transport.write(replies)


class Handler:
    """For aiosmtpd."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Count it."""
        self._counted.one_more()
        return "250 kept"


def serve(kind: str, counted: Counted, told: Any) -> None:
    """Until killed; says its port through the pipe."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        handler = Handler(counted)
        server = await loop.create_server(
            lambda: Fast(counted) if kind == "fast" else SMTP(handler, hostname="sink", loop=loop), "127.0.0.1", 0
        )
        told.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(run())


@contextmanager
def sink(kind: str) -> Iterator[tuple[int, Counted]]:
    """`fast` or `aiosmtpd` while inside: its port and what it counts."""
    spawn = multiprocessing.get_context("spawn")
    counted, (hears, says) = Counted(), spawn.Pipe(duplex=False)
    process = spawn.Process(target=serve, args=(kind, counted, says), daemon=True)
    process.start()
    try:
        yield hears.recv(), counted
    finally:
        process.kill()
        process.join()
