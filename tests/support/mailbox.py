"""A real SMTP server that keeps what it gets."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.eventually import eventually
from tests.support.ports import free_port


@dataclass
class Mailbox:
    """The messages in the order in which they came, and where they may be sent to."""

    host: str = "127.0.0.1"
    port: int = 0
    received: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the message under its one recipient."""
        content: Any = envelope.content
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        for recipient in envelope.rcpt_tos:
            self.received.append((recipient, message))
        return "250 kept"

    def to(self, recipient: str) -> list[EmailMessage]:
        """What came for one address so far."""
        return [message for address, message in self.received if address == recipient]

    async def next_to(self, recipient: str, after: int = 0) -> EmailMessage:
        """The first message for an address beyond the `after` ones already seen."""

        async def arrived() -> list[EmailMessage]:
            return self.to(recipient)[after:]

        return (await eventually(arrived))[0]


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """Start the server on a free port."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname=mailbox.host, port=free_port())
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    content = message.get_content()
    assert isinstance(content, str)
    return content


async def pause(seconds: float) -> None:
    """For the few tests that must show that nothing happens."""
    await asyncio.sleep(seconds)
