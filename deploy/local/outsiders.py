"""Those who stand outside the platform: people at gateways, NEXI's systems at the broker, the mail room, an inbox."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import aio_pika
import aiohttp
import pypdf

from chassis.http import once
from chassis.messages import BATCH, Envelope, Event, encode, new_id
from deploy.local.refusals import Refusal

MAIL_ROOM = "mail-room"
PATIENCE_SECONDS = 30.0
"""How long an outsider waits for what others do: a mail, a letter, a gateway that starts again."""
PASSWORD_LABELS = ("新しいパスワード", "初期パスワード", "ワンタイムパスワード")


@dataclass
class Outside:
    """A running platform as an outsider reaches it: addresses from platform.json and one HTTP client."""

    known: dict[str, Any]
    http: aiohttp.ClientSession
    operations: int = 0
    """How many operations of the catalogue people have carried out so far."""

    def gateway(self, service: str) -> str:
        """The address of a service's first process."""
        return str(self.known["services"][service]["urls"][0])

    async def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        """One request; its JSON (or bytes). A problem becomes a Refusal with the gateway's own words."""
        status, body = await self.try_to(method, service, path, **options)
        if status >= 400:
            raise Refusal(f"{method} {path} was refused with {status}: {body!r}")
        return body

    async def try_to(self, method: str, service: str, path: str, **options: Any) -> tuple[int, Any]:
        """One request that may be refused; its status and body. A gateway that starts or is busy is waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, body = await self._ask(method, service, path, **options)
            except aiohttp.ClientConnectorError as error:  # nothing was sent
                status, body = HTTPStatus.SERVICE_UNAVAILABLE, str(error)
            except aiohttp.ClientConnectionError as error:
                raise Refusal(f"{service} went away during {method} {path}; whether it was done is unknown.") from error
            if status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return status, body
            await asyncio.sleep(0.2)

    async def _ask(self, method: str, service: str, path: str, **options: Any) -> tuple[int, Any]:
        url = self.gateway(service) + path
        async with self.http.request(method, url, middlewares=[once], **options) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await (answer.json(content_type=None) if is_json else answer.read())

    async def say(self, *events: Event) -> list[UUID]:
        """NEXI's systems publish, on their own virtual host with their own user; answers the ids."""
        connection = await aio_pika.connect(self.known["partner_broker_url"])
        async with connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            exchange = await channel.get_exchange("nexi", ensure=False)
            ids = []
            for event in events:
                envelope = Envelope(new_id(), event.wire_type(), "/nexi/core", datetime.now(UTC), None)
                body = encode([(envelope, event.model_dump_json())])
                message = aio_pika.Message(body, content_type=BATCH, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                await exchange.publish(message, routing_key=event.wire_type(), timeout=10)
                ids.append(envelope.id)
            return ids

    async def mail_to(self, address: str, subject: str, after: str = "", about: str = "") -> dict[str, Any]:
        """The newest mail to `address` whose subject holds `subject`, newer than the mail `after`; waits for it.

        `about`: what its text holds, for where another mail of the same kind may still be on its way.
        """
        asked = {
            "recipient": address, "subject": subject, "after": after, "body": about, "wait": f"{PATIENCE_SECONDS:.0f}"
        }  # fmt: skip
        async with self.http.get(f"{self.known['inbox_url']}api/messages", params=asked) as answer:
            found = (await answer.json())["messages"]
        if not found:
            raise Refusal(f"No mail 「{subject}」 came to {address} within {PATIENCE_SECONDS:.0f} s.")
        return dict(found[0])

    async def newest_mail(self, address: str) -> str:
        """The id of the newest mail to an address so far, or ''."""
        async with self.http.get(f"{self.known['inbox_url']}api/messages", params={"recipient": address}) as answer:
            found = (await answer.json())["messages"]
        return str(found[0]["id"]) if found else ""

    async def letter_to(self, user_id: str) -> str:
        """The mail room prints and posts the letter to an administrator; answers the text of the PDF."""
        letter = await self._waiting_letter(user_id)
        with tempfile.TemporaryDirectory() as folder:
            sheet = Path(folder) / "letter.pdf"
            await self.operate("notifier", "letters", "print", letter, "--to", str(sheet), "--by", MAIL_ROOM)
            text = "\n".join(page.extract_text() for page in pypdf.PdfReader(sheet).pages)
        await self.operate("notifier", "letters", "posted", letter, "--by", MAIL_ROOM)
        return text

    async def _waiting_letter(self, user_id: str) -> str:
        for _ in range(100):
            for line in (await self.operate("notifier", "letters", "list")).splitlines():
                letter = json.loads(line)
                if letter["about_user_id"] == user_id:
                    return str(letter["id"])
            await asyncio.sleep(0.1)
        raise Refusal(f"No letter for {user_id} came to the mail room.")

    async def operate(self, service: str, *arguments: str) -> str:
        """An operator's command of a service; answers what it printed."""
        environment = self.known["services"][service]["environment"]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", service, *arguments,
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await child.communicate()
        if child.returncode:
            raise Refusal(f"python -m {service} {' '.join(arguments)} failed: {errors.decode()[-500:]}")
        return output.decode()


@dataclass
class Person:
    """Somebody at a front end: a session, and an access token that is asked for again when it has grown old."""

    outside: Outside
    user_id: str
    session_token: str = ""
    tokens: dict[str, str] = field(default_factory=dict)

    async def log_in(self, password: str) -> dict[str, Any]:
        """Open a session; answers what identity says about it."""
        login = {"user_id": self.user_id, "password": password}
        session = await self.outside.call("POST", "identity", "/sessions", json=login)
        self.outside.operations += 1
        await self._hold(session["session_token"])
        return dict(session)

    async def change_password(self, current: str, new: str) -> None:
        """Choose a new password; the session that answers replaces this one."""
        wish = {"current_password": current, "new_password": new}
        session = await self.call("PUT", "identity", "/password", json=wish)
        self.outside.operations += 1
        await self._hold(session["session_token"])

    async def call(self, method: str, service: str, path: str, **options: Any) -> Any:
        """One request in this person's name."""
        return await self.outside.call(method, service, path, headers=self.headers(), **options)

    async def try_to(self, method: str, service: str, path: str) -> tuple[int, Any]:
        """One request in this person's name that may be refused."""
        return await self.outside.try_to(method, service, path, headers=self.headers())

    async def try_password(self, password: str) -> tuple[int, Any]:
        """A login that is expected to fail."""
        login = {"user_id": self.user_id, "password": password}
        return await self.outside.try_to("POST", "identity", "/sessions", json=login)

    async def look_at_applications(self, number: str) -> Any:
        """Web申込状況一覧, searched for a number."""
        page = await self.call("GET", "applications", "/applications", params={"number": number})
        self.outside.operations += 1
        return page

    def headers(self) -> dict[str, str]:
        """What a front end sends along."""
        return {"Authorization": f"Bearer {self.tokens['access']}"}

    async def refresh(self) -> None:
        """A new access token, with what the person may do now."""
        await self._hold(self.session_token)

    async def enter_one_time_password(self, address: str) -> str:
        """Have one mailed, read it, enter it; answers the code."""
        before = await self.outside.newest_mail(address)
        await self.call("POST", "identity", "/one-time-passwords")
        mail = await self.outside.mail_to(address, "ワンタイムパスワード", after=before)
        code = secret_in(mail["text"])
        answer = await self.call("POST", "identity", "/one-time-passwords/entries", json={"code": code})
        self.tokens["access"] = answer["access_token"]
        return code

    async def _hold(self, session_token: str) -> None:
        self.session_token = session_token
        asked = {"X-Session-Token": session_token}
        answer = await self.outside.call("POST", "identity", "/access-tokens", headers=asked)
        self.tokens["access"] = answer["access_token"]


def secret_in(text: str) -> str:
    """The password or code in a mail or letter."""
    for label in PASSWORD_LABELS:
        if found := re.search(rf"{label}\s*[：:]?\s*([!-~]{{8,}})", text):
            return found[1]
    raise Refusal("The mail or letter holds no password.")


def new_password() -> str:
    """A password that the policy accepts."""
    return f"{secrets.token_urlsafe(12)}-Hikari"
