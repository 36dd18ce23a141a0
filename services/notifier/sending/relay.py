"""One connection to the mail relay, used for one mail after the other."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiosmtplib import SMTPException

from notifier.rules.replies import Verdict, quoted, refuses_address, verdict
from notifier.sending.connections import client_for, why
from notifier.sending.conversation import CLOSING, Conversation, Lost, Reply
from notifier.settings import Settings
from notifier.store.deliveries import End

IDLE_SECONDS = 20.0  # an older connection is not trusted: relays and firewalls forget without a word
MAILS_PER_CONNECTION = 500
BEGIN_TEXT, TAKEN = 354, 250


class NoConnection(Exception):
    """The relay could not be reached, or not safely, or does not let us in: no mail is at fault."""


@dataclass(frozen=True)
class Delivery:
    """How handing over one mail ended."""

    end: End
    reason: str = ""
    refused_address: bool = False


@dataclass(frozen=True)
class Parcel:
    """A mail for one recipient. `last_word` may still stop it, right before the text is sent.

    `text` has CRLF line ends and no line that begins with a dot.
    """

    recipient: str
    text: bytes
    last_word: Callable[[], Awaitable[Delivery | None]]


class Relay:
    """Knows at each step whether the relay may have taken the mail when the line breaks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._from = b"MAIL FROM:<%s>" % settings.sender.encode("ascii")
        self._open: Conversation | None = None
        self._used_at = 0.0
        self._used = 0

    async def deliver(self, parcel: Parcel) -> Delivery:
        """Hand over one mail. Raises NoConnection."""
        try:
            async with asyncio.timeout(3 * self._settings.smtp_seconds):
                delivery = await self._deliver(parcel)
        except TimeoutError:
            delivery = self._broken("no end in sight")
        self._used_at = asyncio.get_running_loop().time()
        return delivery

    async def _deliver(self, parcel: Parcel) -> Delivery:
        while True:
            reused = await self._connect()
            assert self._open is not None
            try:
                return await self._hand_over(self._open, parcel)
            except Lost as reason:
                closed_while_idle = reused and self._open.step == "MAIL"
                delivery = self._broken(str(reason))
            if not closed_while_idle:
                return delivery

    async def _hand_over(self, relay: Conversation, parcel: Parcel) -> Delivery:
        """From MAIL to the reply after the final dot. Raises Lost."""
        envelope = {"MAIL": self._from, "RCPT": b"RCPT TO:<%s>" % parcel.recipient.encode("ascii"), "DATA": b"DATA"}
        replies = await relay.say(envelope)
        if replies["MAIL"].code == CLOSING:
            raise Lost(quoted("reply", *replies["MAIL"]))
        if refused := _refused(replies):
            await self._start_afresh(relay, waits="DATA" in replies and replies["DATA"].code == BEGIN_TEXT)
            return refused
        if stopped := await parcel.last_word():
            await self._start_afresh(relay, waits=True)
            return stopped
        reply = await relay.send(parcel.text)
        if reply.code == TAKEN:
            return Delivery(End.SENT, quoted("TEXT", *reply))
        if not reply.refuses:
            raise Lost("a reply that cannot be understood")
        await self._start_afresh(relay)
        return _refusal("TEXT", reply)

    async def _start_afresh(self, relay: Conversation, *, waits: bool = False) -> None:
        """Forget this mail; a relay that `waits` for its text understands nothing but the end of the connection."""
        try:
            if waits:
                relay.close()
            else:
                await relay.say({"RSET": b"RSET"})
        except Lost:
            relay.close()

    def _broken(self, reason: str) -> Delivery:
        """Without a reply: until the text was begun, nothing can have been taken."""
        step = self._open.step if self._open else "CONNECT"
        self._drop()
        return Delivery(End.UNKNOWN if step == "TEXT" else End.RETRYING, f"{step}: {reason}")

    async def _connect(self) -> bool:
        """Make sure that there is a connection; answers whether it has been used before."""
        idle = asyncio.get_running_loop().time() - self._used_at
        if self._open is not None and self._open.is_open and idle < IDLE_SECONDS and self._used < MAILS_PER_CONNECTION:
            self._used += 1
            return True
        await self.close()
        client = client_for(self._settings)
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (SMTPException, OSError, ssl.SSLError, ValueError) as error:
            client.close()
            raise NoConnection(why(error)) from None
        assert client.protocol is not None
        together = client.supports_extension("pipelining")
        self._open = Conversation(client.protocol.transport, pipelining=together, seconds=self._settings.smtp_seconds)
        self._used = 1
        return False

    async def close(self) -> None:
        """End the connection, politely if the relay still answers at once."""
        if self._open is not None:
            with suppress(Lost, TimeoutError):
                async with asyncio.timeout(1):
                    await self._open.say({"QUIT": b"QUIT"})
        self._drop()

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def _refused(replies: Mapping[str, Reply]) -> Delivery | None:
    """What became of a mail when one of MAIL, RCPT and DATA was refused."""
    for step, reply in replies.items():
        if step == "MAIL" and reply.refuses:
            # It is our sender that is refused, so no mail is at fault: also a 5xx is for later.
            return Delivery(End.RETRYING, quoted("MAIL", *reply))
        if reply.refuses or (step == "DATA" and reply.code != BEGIN_TEXT):
            return _refusal(step, reply)
    return None


def _refusal(step: str, reply: Reply) -> Delivery:
    end = End.FAILED if verdict(reply.code) is Verdict.NEVER else End.RETRYING
    return Delivery(end, quoted(step, *reply), step == "RCPT" and refuses_address(*reply))
