"""People at the portal: administrators with a password, and what they do in a browser window."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from deploy.local.outsiders import Outside, Person, new_password, secret_in
from deploy.local.seed import head_office
from portal.replies import SESSION
from portal.service import Running, running
from portal.settings import PortalSettings
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
SECRET = "a secret of the tests that is long enough"
SERIOUS = ("serious", "critical")


@dataclass
class User:
    """Somebody who can log in; `person` is the same one at the gateways."""

    user_id: str
    password: str
    email: str
    person: Person

    @property
    def code(self) -> str:
        """The policyholder code."""
        return self.user_id[:9]


@dataclass
class Town:
    """Where people come from: NEXI's word and the mails, without the portal."""

    outside: Outside
    platform: Platform
    portal: Running

    @property
    def url(self) -> str:
        """The portal's address."""
        return self.portal.url

    def beside(self, **told: Any) -> AbstractAsyncContextManager[Town]:
        """The same town through another process of the portal; `told`: what its settings have different."""
        return opened(self.outside, self.platform, **told)

    def forget_tokens(self) -> None:
        """As if the minute for which the portal trusts an access token were over."""
        self.portal.house.sessions.clear()

    async def administrator(self, **profile: Any) -> User:
        """A new head office's administrator with an own password."""
        code = unique.policyholder_code()
        email = f"admin-{code}@sample.com"
        event = head_office(code, email)
        await self.outside.say(event.model_copy(update=profile))
        await self.known(f"{code}000")
        temporary = await self.reissue(f"{code}000", email)
        return await self.settled(f"{code}000", email, temporary)

    async def known(self, user_id: str) -> None:
        """Wait until identity knows the user."""
        async with self.platform.owner("identity") as database:
            await eventually(lambda: database.fetchval("select true from users where user_id = $1", user_id))

    async def reissue(self, user_id: str, email: str) -> str:
        """A temporary password by mail."""
        source = f"10.{random.randrange(250)}.{random.randrange(250)}.{random.randrange(250)}"
        form, headers = {"user_id": user_id, "email": email}, {"X-Forwarded-For": source}
        await self.outside.call("POST", "identity", "/password-reissues", json=form, headers=headers)
        return secret_in((await self.outside.mail_to(email, "パスワード再発行"))["text"])

    async def settled(self, user_id: str, email: str, temporary: str) -> User:
        """With an own password instead of the temporary one."""
        person, password = Person(self.outside, user_id), new_password()
        await person.log_in(temporary)
        await person.change_password(temporary, password)
        return User(user_id, password, email, person)

    async def applicant(self, admin: User, **form: Any) -> User:
        """A new applicant of this administrator with an own password."""
        email = f"{unique.word('a')}@sample.com"
        given = {
            "email": email, "name": "貿易　花子", "entry": "enter_and_apply", "contract_data": "none",
            "application_data": "own",
        }  # fmt: skip
        done = await admin.person.call("POST", "identity", "/applicants", json=given | form)
        mail = await self.outside.mail_to(admin.email, "初期パスワード", about=done["user_id"])
        return await self.settled(done["user_id"], (given | form)["email"], secret_in(mail["text"]))


@asynccontextmanager
async def opened(outside: Outside, platform: Platform, **told: Any) -> AsyncIterator[Town]:
    """A town with a portal; `told`: what its settings have different."""
    urls = {f"{name}_url": outside.gateway(name) for name in outside.known["services"]}
    async with running(PortalSettings(**{"port": 0, "secret": SECRET, **urls, **told})) as portal:
        yield Town(outside, platform, portal)


@dataclass
class Desk:
    """A browser window at the portal."""

    page: Page
    town: Town
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Go to an address of the portal."""
        await self.page.goto(self.town.url + path)

    async def log_in(self, user: User, password: str | None = None) -> None:
        """Through the login screen."""
        await self.open("/login")
        await self.page.locator("#user_id").fill(user.user_id)
        await self.page.locator("#password").fill(user.password if password is None else password)
        await self.press("ログイン")

    async def enter(self, user: User, path: str = "/") -> None:
        """As somebody who has logged in before: with the session that the person has at the gateways."""
        token, url = user.person.session_token, self.town.url.replace("http:", "https:")
        await self.page.context.add_cookies([{"name": SESSION, "value": token, "url": url, "secure": True}])
        await self.open(path)

    async def press(self, words: str) -> None:
        """A button or link with exactly these words that leads to another page; returns when that is there."""
        async with self.page.expect_navigation():
            await self.touch(words)

    async def touch(self, words: str) -> None:
        """A button or link with exactly these words that stays on the page."""
        button = self.page.get_by_role("button", name=words, exact=True)
        link = self.page.get_by_role("link", name=words, exact=True)
        await button.or_(link).first.click()

    async def title(self) -> str:
        """The heading of the screen."""
        return await self.page.locator("h1").inner_text()

    async def text(self) -> str:
        """What the screen says."""
        return await self.page.locator("main").inner_text()

    async def errors(self) -> list[str]:
        """The sentences beside the fields."""
        return await self.page.locator(".error").all_inner_texts()

    def path(self) -> str:
        """Where the window is, without sealed input."""
        return re.sub(r"[?#].*", "", self.page.url.removeprefix(self.town.url))

    async def axe(self) -> list[str]:
        """Serious findings of axe-core on the screen as it is."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE)
        ask = "axe.run({resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))"
        found = json.loads(await self.page.evaluate(ask))
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in SERIOUS
        ]
