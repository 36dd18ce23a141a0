"""Web users as tests need them: provisioned by NEXI's events, with the password from the letter, logging in."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from chassis.service import Runtime
from chassis.sql import Database
from contracts.nexi import Administrator, Office, PolicyholderRegistered, Profile
from contracts.notifier import SendLetter, SendMail
from tests.support import sealing, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform, Spy

GOOD = "ひよこが三羽あるいた-"


def new_password() -> str:
    """A password that keeps the rules."""
    return GOOD + secrets.token_hex(6)


def registered(code: str, *, terms_agreed: bool = True, issued_at: datetime | None = None, **facts: Any) -> Any:
    """NEXI's registration of a policyholder."""
    given: dict[str, Any] = {
        "policyholder_code": code,
        "issued_at": issued_at or datetime.now(UTC),
        "terms_agreed": terms_agreed,
        "profile": Profile(
            office=Office.HEAD,
            name="見本商事株式会社",
            kana="ミホンショウジカブシキガイシャ",
            postal_code="111-1111",
            address="東京都千代田区西神田１－１",
            phone="11-1111-1111",
        ),
        "administrator": Administrator(
            name="日本　太郎",
            email=f"{code}@sample.com",
            phone="03-1234-5678",
            department="見本事業部",
            title="事業部長",
        )
        if terms_agreed
        else None,
    }
    return PolicyholderRegistered(**(given | facts))


@dataclass
class Answer:
    """Status, headers and JSON of an answer."""

    status: int
    headers: Any
    body: Any


@dataclass
class Person:
    """A Web user with a browser of its own (`address` is what a trusted front end says about it)."""

    people: "People"
    user_id: str
    password: str
    address: str = field(default_factory=lambda: f"10.{'.'.join(str(secrets.randbelow(250)) for _ in range(3))}")
    session_token: str = ""
    session_id: str = ""
    access_token: str = ""

    async def ask(self, method: str, path: str, *, to: Runtime | None = None, **request: Any) -> Answer:
        """One request with whatever tokens there are; `headers` add to them."""
        headers = {"X-Forwarded-For": self.address, **request.pop("headers", {})}
        if self.access_token:
            headers.setdefault("Authorization", f"Bearer {self.access_token}")
        if self.session_token:
            headers.setdefault("X-Session-Token", self.session_token)
        url = (to or self.people.identity).url
        async with self.people.client.request(method, f"{url}{path}", headers=headers, **request) as response:
            body = await response.json() if "json" in response.content_type else None
            return Answer(response.status, response.headers, body)

    async def try_login(self, password: str | None = None, *, to: Runtime | None = None) -> Answer:
        """Log in without keeping anything."""
        given = {"user_id": self.user_id, "password": self.password if password is None else password}
        return await self.ask("POST", "/sessions", to=to, json=given)

    async def log_in(self, password: str | None = None) -> Any:
        """Log in and keep the tokens; answers the session as shown."""
        answer = await self.try_login(password)
        assert answer.status == 201, answer
        await self.keep(answer.body)
        return answer.body

    async def keep(self, session: Any) -> None:
        """Use this session from now on."""
        self.session_token, self.session_id = session["session_token"], session["session_id"]
        await self.refresh()

    async def refresh(self) -> Any:
        """Take a new access token."""
        answer = await self.ask("POST", "/access-tokens")
        assert answer.status == 200, answer
        self.access_token = answer.body["access_token"]
        return answer.body

    async def change_password(self, new: str, current: str | None = None) -> Answer:
        """Change the password without keeping anything."""
        given = {"current_password": self.password if current is None else current, "new_password": new}
        return await self.ask("PUT", "/password", json=given)

    async def settle_in(self) -> "Person":
        """Log in with the temporary password and choose an own one."""
        await self.log_in()
        own = new_password()
        answer = await self.change_password(own)
        assert answer.status == 200, answer
        self.password = own
        await self.keep(answer.body)
        return self

    def elsewhere(self) -> "Person":
        """The same user in another browser, not logged in."""
        return Person(self.people, self.user_id, self.password)


class People:
    """Makes Web users and hears what is sent to them."""

    def __init__(self, platform: Platform, identity: Runtime, client: aiohttp.ClientSession, behind: Database) -> None:
        self.platform, self.identity, self.client, self.behind = platform, identity, client, behind
        self.letters = Spy()
        self.mails = Spy()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["People"]:
        """Hear letters and mails while inside; the notifier's keys are known then."""
        async with self.platform.hears(SendLetter) as self.letters, self.platform.hears(SendMail) as self.mails:
            await self.know_keys()
            yield self

    async def know_keys(self) -> None:
        """Let the notifier publish its keys, once."""
        if not await self._keys():
            await self.platform.say("notifier", sealing.published())
            await eventually(self._keys)

    async def _keys(self) -> bool:
        return bool(await self.behind.fetchval("select exists (select from sealing_keys where key_id like 'test-%')"))

    async def register(self, code: str | None = None, **facts: Any) -> Person:
        """A new policyholder's administrator with the password from the letter."""
        code = code or unique.policyholder_code()
        await self.platform.nexi.publish(registered(code, **facts))
        letter = await self.letters.next(policyholder_code=code)
        return Person(self, f"{code}000", sealing.secret_of(letter))

    async def administrator(self, **facts: Any) -> Person:
        """A logged-in administrator with an own password."""
        return await (await self.register(**facts)).settle_in()

    async def use_one_time_passwords(self, code: str, in_use: bool = True) -> None:
        """As if the administrator had switched it before anybody logged in."""
        await self.behind.execute(
            "update companies set uses_one_time_password = $2 where policyholder_code = $1", code, in_use
        )

    async def let_time_pass(self, person: Person, **interval: int) -> None:
        """Make the person's session older, as the database's clock sees it."""
        await self.behind.execute(
            "update sessions set seen_at = seen_at - $2::interval, began_at = began_at - $2::interval"
            " where session_id = $1",
            person.session_id, timedelta(**interval),
        )  # fmt: skip
