"""One connection to the mail relay, used for one mail after the other."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponse

from notifier.rules.replies import Verdict, quoted, refuses_address, verdict
from notifier.sending.connections import client_for, why
from notifier.settings import Settings
from notifier.store.deliveries import End

IDLE_SECONDS = 20.0  # an older connection is not trusted: relays and firewalls forget without a word
MAILS_PER_CONNECTION = 500


class NoConnection(Exception):
    """The relay could not be reached, or not safely, or does not let us in: no mail is at fault."""


class _Lost(Exception):
    """The connection broke or fell silent."""


@dataclass(frozen=True)
class Delivery:
    """How handing over one mail ended."""

    end: End
    reason: str = ""
    refused_address: bool = False


class Relay:
    """Talks SMTP step by step, because only so is it known whether a mail may have been taken when the line broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._used_at = 0.0
        self._used = 0

    async def deliver(
        self, recipient: str, message: bytes, last_word: Callable[[], Awaitable[Delivery | None]]
    ) -> Delivery:
        """Hand over one mail to one recipient. `last_word` may still stop it, right before the text is sent.

        `message` has CRLF line ends and no line that begins with a dot. Raises NoConnection.
        """
        talk = _Talk(recipient, message, last_word, self._settings)
        try:
            async with asyncio.timeout(3 * self._settings.smtp_seconds):
                delivery = await self._talk(talk)
        except TimeoutError:
            await self.close()
            delivery = talk.broken("no end in sight")
        self._used_at = asyncio.get_running_loop().time()
        return delivery

    async def _talk(self, talk: "_Talk") -> Delivery:
        reused = await self._connect()
        for again in (reused, False):
            assert self._client is not None
            try:
                delivery = await talk.hold(self._client)
                if delivery.end is not End.SENT:
                    await self._reset()
                return delivery
            except _Lost as reason:
                await self.close()
                if not again or talk.step != "MAIL":
                    return talk.broken(str(reason))
                await self._connect()  # it had been closed while we had nothing to send
        raise AssertionError("unreachable")

    async def _reset(self) -> None:
        try:
            assert self._client is not None
            await self._client.rset()
        except (SMTPException, OSError):
            await self.close()

    async def _connect(self) -> bool:
        """Make sure that there is a connection; answers whether it has been used before."""
        idle = asyncio.get_running_loop().time() - self._used_at
        if self._client is not None and (
            not self._client.is_connected or idle > IDLE_SECONDS or self._used >= MAILS_PER_CONNECTION
        ):
            await self.close()
        if self._client is not None:
            self._used += 1
            return True
        client = client_for(self._settings)
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (SMTPException, OSError, ssl.SSLError, ValueError) as error:
            client.close()
            raise NoConnection(why(error)) from None
        self._client, self._used = client, 1
        return False

    async def close(self) -> None:
        """End the connection, politely if the relay still answers at once."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(1):
                await client.quit()
        except (SMTPException, OSError, TimeoutError):
            client.close()


class _Talk:
    """One mail's conversation; `step` is how far it came."""

    def __init__(
        self,
        recipient: str,
        message: bytes,
        last_word: Callable[[], Awaitable[Delivery | None]],
        settings: Settings,
    ) -> None:
        self.step = "MAIL"
        self._recipient = recipient
        self._message = message
        self._last_word = last_word
        self._settings = settings

    async def hold(self, client: aiosmtplib.SMTP) -> Delivery:
        """From MAIL to the reply after the final dot. Raises _Lost."""
        self.step = "MAIL"
        reply = await self._say(client, b"MAIL", b"FROM:<%s>" % self._settings.sender.encode("ascii"))
        if reply.code == 421:
            raise _Lost(quoted("reply", *reply))
        if verdict(reply.code) is not Verdict.GO_ON:
            # It is our sender that is refused, so no mail is at fault: also a 5xx is for later.
            return Delivery(End.RETRYING, quoted("MAIL", *reply))
        self.step = "RCPT"
        reply = await self._say(client, b"RCPT", b"TO:<%s>" % self._recipient.encode("ascii"))
        if verdict(reply.code) is not Verdict.GO_ON:
            return self._refused(reply)
        if stopped := await self._last_word():
            return stopped
        self.step = "DATA"
        reply = await self._say(client, b"DATA")
        if reply.code != 354:
            return self._refused(reply)
        self.step = "TEXT"
        reply = await self._text(client)
        if reply.code == 250:
            return Delivery(End.SENT, quoted("TEXT", *reply))
        if verdict(reply.code) is Verdict.GO_ON or reply.code < 0:
            raise _Lost("a reply that cannot be understood")
        return self._refused(reply)

    def broken(self, reason: str) -> Delivery:
        """The conversation ended without a reply: until the text was begun, nothing can have been taken."""
        end = End.UNKNOWN if self.step == "TEXT" else End.RETRYING
        return Delivery(end, f"{self.step}: {reason}")

    def _refused(self, reply: SMTPResponse) -> Delivery:
        end = End.FAILED if verdict(reply.code) is Verdict.NEVER else End.RETRYING
        address = self.step == "RCPT" and refuses_address(*reply)
        return Delivery(end, quoted(self.step, *reply), address)

    async def _say(self, client: aiosmtplib.SMTP, *words: bytes) -> SMTPResponse:
        try:
            return await client.execute_command(*words, timeout=self._settings.smtp_seconds)
        except (SMTPException, OSError) as error:
            raise _Lost(why(error)) from None

    async def _text(self, client: aiosmtplib.SMTP) -> SMTPResponse:
        try:
            assert client.protocol is not None
            client.protocol.write(self._message + b".\r\n")
            return await client.protocol.read_response(timeout=self._settings.smtp_seconds)
        except (SMTPException, OSError) as error:
            raise _Lost(why(error)) from None
