"""What is said over an open connection to the relay: commands out, replies in their order (RFC 5321, RFC 2920)."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from notifier.rules.replies import Verdict, quoted, verdict

LONGEST_REPLY_BYTES = 64 * 1024
CLOSING = 421
"""The relay ends the connection with this reply, whatever it was asked."""


class Lost(Exception):
    """The connection broke, fell silent or cannot be understood."""


class Reply(NamedTuple):
    """A reply code, and its text on one line."""

    code: int
    text: str

    @property
    def refuses(self) -> bool:
        """Whether the relay will not go on with this mail."""
        return verdict(self.code) is not Verdict.GO_ON


class Conversation(asyncio.Protocol):
    """Takes an open connection over from aiosmtplib, which has covered it and logged in.

    aiosmtplib loses replies when commands are sent together, and its own bookkeeping costs three times what this does.
    """

    def __init__(self, transport: Any, *, pipelining: bool, seconds: float) -> None:
        """`pipelining`: the relay takes commands together. `seconds`: the longest wait for one reply."""
        self.step = ""
        """The command whose reply is awaited, or was read last."""
        self._transport = transport
        self._pipelining = pipelining
        self._seconds = seconds
        self._rest = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._news: asyncio.Future[None] | None = None
        self._lost: str | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether more can be said; a relay that has spoken unasked has said good-bye."""
        return self._lost is None and not self._transport.is_closing() and not self._replies

    async def say(self, commands: Mapping[str, bytes]) -> dict[str, Reply]:
        """The replies to commands, by the names of their steps, up to a refusal or all. Raises Lost."""
        if self._pipelining:
            self._write(b"\r\n".join(commands.values()) + b"\r\n", lines=len(commands))
        replies: dict[str, Reply] = {}
        for step, command in commands.items():
            self.step = step
            if not self._pipelining:
                self._write(command + b"\r\n", lines=1)
            reply = replies[step] = await self._reply()
            if reply.code == CLOSING:
                self.close()
            if reply.code == CLOSING or (reply.refuses and not self._pipelining):
                break
        return replies

    async def send(self, text: bytes) -> Reply:
        """The reply to a text, whose lines are ended by CRLF and do not begin with a dot. Raises Lost.

        `step` stays as it was if the connection was lost before anything could be sent.
        """
        self._write(text + b".\r\n")
        self.step = "TEXT"
        return await self._reply()

    def close(self) -> None:
        """Without a word: the relay forgets a text that it has not got whole."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Split what comes into replies; only the last line of a reply has no dash after its code."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                code = int(line[:3]) if line[:3].isdigit() else -1
                self._replies.append(Reply(code, " ".join(self._lines)))
                self._lines = []
        if len(self._rest) + sum(map(len, self._lines)) > LONGEST_REPLY_BYTES:
            self._end("a reply without end")
            self.close()
        self._tell()

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits for a reply learns of it."""
        self._end("disconnected" if error is None else type(error).__name__)

    def _end(self, reason: str) -> None:
        self._lost = self._lost or reason
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _write(self, data: bytes, lines: int | None = None) -> None:
        if lines is not None and data.count(b"\n") != lines:
            raise ValueError("a command is one line")
        if not self.is_open:
            raise Lost(quoted("reply", *self._replies[0]) if self._replies else self._lost or "disconnected")
        self._transport.write(data)

    async def _reply(self) -> Reply:
        try:
            async with asyncio.timeout(self._seconds):
                while not self._replies:
                    if self._lost is not None:
                        raise Lost(self._lost)
                    self._news = asyncio.get_running_loop().create_future()
                    await self._news
        except TimeoutError:
            raise Lost("no reply in time") from None
        reply = self._replies.popleft()
        if reply.code < 0:
            raise Lost("a reply that cannot be understood")
        return reply
