"""A mail server that misbehaves as it is told: refuses, falls silent or hangs up at any step."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

CLOSE, HANG, TAKE_AND_CLOSE, TAKE_AND_HANG = "close", "hang", "take and close", "take and hang"

GOOD = {
    "CONNECT": "220 here", "EHLO": "250 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on",
    "TEXT": "250 kept", "RSET": "250 ok", "QUIT": "221 bye", "AUTH": "235 ok",
}  # fmt: skip
NOBODY = "503 5.5.1 no valid recipients"

Decide = Callable[[str, str], str | None]
"""(step, recipient) → a reply, CLOSE, HANG, TAKE_AND_…, or None for the good reply."""


Wait = Callable[[str, str], Awaitable[None]]
"""(step, recipient): what happens before the reply is sent."""


def obedient(_step: str, _recipient: str) -> None:
    """The good reply to everything."""


async def at_once(_step: str, _recipient: str) -> None:
    """No pause before a reply."""


@dataclass(frozen=True)
class Taken:
    """One mail that the server took, with the recipients it was given."""

    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail as the standard library reads it."""
        message = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class BadRelay:
    """`decide` and `wait` may be changed while it serves."""

    decide: Decide = obedient
    wait: Wait = at_once
    taken: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Every command that came, of all connections."""
    connections: int = 0
    context: ssl.SSLContext | None = None
    """With it STARTTLS is offered, unless the connection is covered from the start."""
    pipelining: bool = True
    """Whether it takes commands together (RFC 2920), as nearly all do."""
    port: int = 0

    def to(self, recipient: str) -> list[Taken]:
        """What was taken for one address."""
        return [one for one in self.taken if recipient in one.recipients]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            if await self._reply(writer, "CONNECT", "", self.decide("CONNECT", "")):
                await self._commands(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _commands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        whom = ""
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.lines.append(line)
            step = line.split(" ")[0].upper()
            if step == "STARTTLS" and self.context is not None:
                writer.write(b"220 go ahead\r\n")
                await writer.start_tls(self.context)
                continue
            if step == "RCPT":
                whom = line.partition("<")[2].partition(">")[0]
            if step in ("RSET", "MAIL"):
                recipients, whom = [], ""
            told = self.decide(step, whom) or (NOBODY if step == "DATA" and not recipients else None)
            if not await self._reply(writer, step, whom, told or (self._offers(writer) if step == "EHLO" else None)):
                return
            if step == "RCPT" and told is None:
                recipients.append(whom)
            begins = step == "DATA" and (told or "354").startswith("354")
            if step == "QUIT" or (begins and not await self._text(reader, writer, recipients, whom)):
                return

    async def _text(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipients: list[str], whom: str
    ) -> bool:
        raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
        told = self.decide("TEXT", whom)
        if told in (None, TAKE_AND_CLOSE, TAKE_AND_HANG):
            self.taken.append(Taken(tuple(recipients), raw))
        return await self._reply(writer, "TEXT", whom, told)

    def _offers(self, writer: asyncio.StreamWriter) -> str:
        covered = writer.get_extra_info("sslcontext") is not None
        offers = ["here", *(["PIPELINING"] if self.pipelining else [])]
        if self.context is not None:
            offers.append("AUTH PLAIN" if covered else "STARTTLS")
        return "\r\n".join(f"250{' ' if one is offers[-1] else '-'}{one}" for one in offers)

    async def _reply(self, writer: asyncio.StreamWriter, step: str, recipient: str, told: str | None) -> bool:
        await self.wait(step, recipient)
        if told in (CLOSE, TAKE_AND_CLOSE):
            return False
        if told in (HANG, TAKE_AND_HANG):
            await asyncio.sleep(60)
        writer.write(f"{told or GOOD.get(step, '502 what?')}\r\n".encode())
        await writer.drain()
        return not (told or "").startswith("421")


@asynccontextmanager
async def bad_relay(
    decide: Decide = obedient,
    context: ssl.SSLContext | None = None,
    *,
    covered: bool = False,
    pipelining: bool = True,
) -> AsyncIterator[BadRelay]:
    """The server on a free port; `covered`: TLS from the first byte."""
    relay = BadRelay(decide, context=context, pipelining=pipelining)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(relay.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context if covered else None)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def only(recipient: str, step: str, told: str, times: int = 10**6) -> Decide:
    """Misbehave at one step for one recipient (empty: for all), the first `times` times."""
    left = [times]

    def decide(at: str, whom: str) -> str | None:
        if at != step or (recipient and whom != recipient) or left[0] <= 0:
            return None
        left[0] -= 1
        return told

    return decide
