"""The mails that were caught: one file each, newest first, still there after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

ENVELOPE_FROM = "X-Envelope-From"
ENVELOPE_TO = "X-Envelope-To"


@dataclass(frozen=True)
class Mail:
    """One caught mail, decoded; `id` sorts by arrival."""

    id: str
    received: datetime
    sender: str
    recipients: list[str]
    subject: str
    text: str
    headers: list[tuple[str, str]]


@dataclass(frozen=True)
class Search:
    """What a mail must contain, without regard to case; `after` is an id that it must be newer than."""

    recipient: str = ""
    subject: str = ""
    body: str = ""
    after: str = ""

    def finds(self, mail: Mail) -> bool:
        """Whether the mail contains all of it."""
        return (
            mail.id > self.after
            and any(self.recipient.casefold() in one.casefold() for one in mail.recipients)
            and self.subject.casefold() in mail.subject.casefold()
            and self.body.casefold() in mail.text.casefold()
        )


class Mailbox:
    """All mails of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.mails = [read(path) for path in sorted(folder.glob("*.eml"), reverse=True)]
        self.arrived = asyncio.Condition()

    async def keep(self, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """Store a mail with its envelope; when this returns, it survives the end of the process."""
        path = self.folder / f"{time.time_ns():020}-{secrets.token_hex(4)}.eml"
        envelope = f"{ENVELOPE_FROM}: {sender}\r\n{ENVELOPE_TO}: {', '.join(recipients)}\r\n".encode()
        fresh = path.with_suffix(".fresh")
        fresh.write_bytes(envelope + content)
        fresh.replace(path)
        async with self.arrived:
            self.mails.insert(0, read(path))
            self.arrived.notify_all()

    async def search(self, search: Search, wait: float = 0) -> list[Mail]:
        """Matching mails, newest first; when there are none, wait up to `wait` seconds for one."""

        def found() -> list[Mail]:
            return [mail for mail in self.mails if search.finds(mail)]

        async with self.arrived:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.arrived.wait_for(found)
            return found()

    def find(self, mail_id: str) -> Mail | None:
        """The mail of that id."""
        return next((one for one in self.mails if one.id == mail_id), None)

    def clear(self) -> None:
        """Throw all mails away."""
        for mail in self.mails:
            (self.folder / f"{mail.id}.eml").unlink(missing_ok=True)
        self.mails.clear()


def read(path: Path) -> Mail:
    """Decode one stored mail, however odd its encoding is."""
    message = message_from_bytes(path.read_bytes(), policy=default)
    return Mail(
        id=path.stem,
        received=datetime.fromtimestamp(int(path.stem.partition("-")[0]) / 1e9, UTC),
        sender=str(message[ENVELOPE_FROM] or ""),
        recipients=str(message[ENVELOPE_TO] or "").split(", "),
        subject=str(message["Subject"] or ""),
        text=text_of(message),
        headers=[(name, str(value)) for name, value in message.items() if not name.startswith("X-Envelope-")],
    )


def text_of(message: EmailMessage) -> str:
    """The readable part: plain text before HTML source; bytes that fit no encoding are shown as replacement signs."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        return str(body.get_content()).replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        payload = body.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
