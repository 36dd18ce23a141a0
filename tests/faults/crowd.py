"""Clients of a house: every request is an action in the journal, and none is asked to succeed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from argon2 import PasswordHasher

from chassis.http import once
from contracts.caller import Caller
from tests.faults.house import House
from tests.faults.journal import Action, Journal, Outcome
from tests.faults.nexi import Nexi
from tests.identity.people import registered
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Speaker

REQUEST_SECONDS = 10.0
IDLE_SECONDS = 0.2
"""An idle connection is given up before the process at its other end, which leaves for longer, closes it."""
PASSWORD = "ひよこが三羽あるいた-0123456789"


@dataclass
class Reply:
    """What a client got back, if it got anything."""

    status: int = 0
    body: Any = None

    @property
    def good(self) -> bool:
        """Acknowledged."""
        return 200 <= self.status < 300


@dataclass
class Crowd:
    """Clients that share a journal. NEXI's systems belong to them."""

    house: House
    journal: Journal
    nexi: Nexi
    session: aiohttp.ClientSession
    codes: list[str] = field(default_factory=list)
    """The policyholders whose administrators are among us."""

    async def ask(
        self, service: str, method: str, path: str, action: Action | None = None, *,
        recorded_refusals: tuple[int, ...] = (), **request: Any,
    ) -> Reply:  # fmt: skip
        """One request; what is known of its outcome goes into the journal.

        `recorded_refusals`: statuses of a refusal that the history has all the same.
        """
        if action is not None:
            await self.journal.invoke(action)
        outcome, reply = await self._send(service, method, path, request)
        if action is not None:
            await self.journal.end(action, "ok" if reply.status in recorded_refusals else outcome, reply.status)
        return reply

    async def _send(self, service: str, method: str, path: str, request: dict[str, Any]) -> tuple[Outcome, Reply]:
        """To one process, or, as a balancer would, to the next one when nobody is there to be asked."""
        for door in self.house.doors(service):
            try:
                async with self.session.request(method, f"{door}{path}", **request) as answer:
                    body = await (answer.json() if "json" in answer.content_type else answer.read())
                    reply = Reply(answer.status, body)
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, OSError, TimeoutError):
                return "unknown", Reply()
            if reply.good:
                return "ok", reply
            return ("fail" if reply.status < 500 else "unknown"), reply
        return "fail", Reply()

    def as_(self, caller: Caller) -> dict[str, str]:
        """The headers with which a caller comes."""
        return self.house.platform.headers(caller)

    async def act(self, code: str, service: str, method: str, path: str, event: str, **request: Any) -> Reply:
        """A request of the administrator, under a name that nobody had before."""
        word = unique.word("w")
        headers = self.as_(callers.administrator(code, name=word)) | request.pop("headers", {})
        return await self.ask(service, method, path, Action(event, word), headers=headers, **request)

    async def settle_in(self, companies: int) -> None:
        """identity's own tokens count, there is a bank, and there are policyholders whose administrators can log in."""
        platform = self.house.platform
        async with self.house.client.get(f"{self.house.url('identity')}/.well-known/jwks.json") as answer:
            platform.signer.trust((await answer.json())["keys"])
        async with platform.owner("accounts") as database:
            await database.execute("insert into banks values ('0001', '見本', 'ミホン', '見本', 'ミホン')")
            await database.execute(
                "insert into branches values ('0001', '001', '本店', 'ホンテン', '本店', 'ホンテン')"
            )
        for _ in range(companies):
            await self._found(unique.policyholder_code())
        async with platform.owner("identity") as database:
            await database.execute("update users set password_hash = $1", PasswordHasher(2, 19456, 1).hash(PASSWORD))

    async def _found(self, code: str) -> None:
        """NEXI registers a policyholder; whoever needs to know of it does when this comes back."""
        await self.nexi.say(registered(code))
        self.codes.append(code)
        platform = self.house.platform
        async with platform.owner("applications") as there, platform.owner("notifier") as mails:

            async def known() -> bool:
                return bool(
                    await there.fetchval("select true from profiles where policyholder_code = $1", code)
                    and await mails.fetchval("select true from addresses where policyholder_code = $1", code)
                )

            await eventually(known, 30)


@asynccontextmanager
async def open_crowd(house: House, companies: int = 3) -> AsyncIterator[Crowd]:
    """A crowd at home in a house that is ready, with a journal in its folder."""
    journal = Journal(house.platform.folder / f"{unique.word('journal')}.jsonl")
    nexi = Nexi(Speaker(house.platform.broker("nexi", house.platform.partner_host), "nexi"))
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, middlewares=[once]) as session:
        try:
            crowd = Crowd(house, journal, nexi, session)
            await crowd.settle_in(companies)
            yield crowd
        finally:
            await nexi.close()
            journal.close()
