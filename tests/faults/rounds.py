"""What people do while a process of some service lives: all that leads past that service's points."""

import asyncio
from datetime import UTC, datetime

from contracts.nexi import PolicyholderChanged
from tests.faults import deeds
from tests.faults.crowd import Crowd
from tests.identity.people import registered
from tests.support import unique
from tests.support.platform import Speaker

MOST_NEWCOMERS = 3  # a life
WAITING_STRANGERS = 8  # so that a try of the first one's news fails meanwhile


class Rounds:
    """One round for each service; `rubbish` keeps the bytes that nobody could read."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.rubbish: set[bytes] = set()
        self.strangers: list[str] = []
        self.newcomers = 0

    async def go(self, service: str) -> None:
        """One round."""
        await {
            "applications": self.applications, "accounts": self.accounts, "identity": self.identity,
            "notifier": self.notifier, "audit": self.audit,
        }[service](self.crowd.codes[0])  # fmt: skip

    async def applications(self, code: str) -> None:
        """Drafts, submissions, files, words of NEXI's in time and too early, and something unreadable."""
        crowd = self.crowd
        await asyncio.gather(
            deeds.change_profile(crowd, code),
            deeds.change_profile(crowd, code, early=True),
            deeds.register_account(crowd, code),
            deeds.apply_with_file(crowd, code),
            deeds.look(crowd, code),
            self.throw("accounts", "accounts.profile_changed"),
        )

    async def accounts(self, code: str) -> None:
        """Changes for today and for a day to come, which then comes; accounts; and news of strangers."""
        crowd = self.crowd
        await asyncio.gather(
            deeds.change_profile(crowd, code),
            deeds.change_profile(crowd, code, days=1),
            deeds.register_account(crowd, code),
            self.meet_strangers(),
        )
        await self.let_days_pass()

    async def identity(self, code: str) -> None:
        """Logins with one-time passwords, and a new policyholder."""
        crowd = self.crowd
        await asyncio.gather(
            deeds.visit(crowd, code),
            deeds.visit(crowd, code, leave=False),
            self.register(),
        )

    async def notifier(self, code: str) -> None:
        """Receipts, codes and a letter."""
        crowd = self.crowd
        await asyncio.gather(
            deeds.change_profile(crowd, code), deeds.visit(crowd, code, leave=False, patience=0.3),
            self.register(),
        )  # fmt: skip

    async def audit(self, code: str) -> None:
        """Everything is recorded; here mostly what is reported, searched and downloaded."""
        crowd = self.crowd
        await asyncio.gather(
            deeds.report(crowd, code), deeds.perform(crowd, code), deeds.look(crowd, code), deeds.export(crowd, code),
            self.throw("applications", "applications.rubbish"),
        )  # fmt: skip

    async def register(self) -> None:
        """A new policyholder, whose administrator gets a letter; few of them, because a sheet takes long to draw."""
        if self.newcomers < MOST_NEWCOMERS:
            self.newcomers += 1
            await self.crowd.nexi.say(registered(unique.policyholder_code()))

    async def throw(self, speaker: str, key: str) -> None:
        """Bytes that nobody can read."""
        body = unique.word("no JSON ").encode()
        self.rubbish.add(body)
        async with Speaker(self.crowd.house.platform.broker(speaker), speaker) as thrower:
            await thrower.publish_raw(body, "events", key)

    async def meet_strangers(self) -> None:
        """A policyholder changes long before it is registered; the one of some rounds ago is registered now."""
        if len(self.strangers) > WAITING_STRANGERS:
            await self.crowd.nexi.say(registered(self.strangers.pop(0), terms_agreed=False))
        code = unique.policyholder_code()
        self.strangers.append(code)
        now = datetime.now(UTC)
        news = PolicyholderChanged(issued_at=now, policyholder_code=code, profile=registered(code).profile)
        await self.crowd.nexi.say(news)

    async def let_days_pass(self) -> None:
        """Days to come have come, and the pauses of what is tried again are over."""
        async with self.crowd.house.platform.owner("accounts") as database:
            await database.execute("update profile_changes set due_at = now() where applied_at is null")
            await database.execute("update parked set next_try_at = now() where state = 'retrying'")

    async def end(self) -> None:
        """Nobody stays a stranger."""
        while self.strangers:
            await self.crowd.nexi.say(registered(self.strangers.pop(), terms_agreed=False))
        await self.let_days_pass()
