"""All services that an application passes through, and what each of them knows of it: state, record, mail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from accounts import command_line
from accounts.rules import bank_files
from accounts.store import banks
from chassis.service import Runtime
from contracts.applications import AccountProcedureSubmitted, ApplicationSubmitted
from contracts.identity import AddressChanged
from contracts.permissions import Role
from deploy.local.cluster import Cluster
from notifier.mails.names import OwnTemplate
from tests.applications.fronts import Front
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.mailbox import Mailbox, open_mailbox, text_of
from tests.support.platform import Platform

AFTER_SUBMISSION = ("submitted", "completed", "rejected")
RECEIPT = OwnTemplate.APPLICATION_RECEIVED


@dataclass
class Everybody:
    """A platform with accounts, notifier and audit; applications is started by the tests."""

    platform: Platform
    mailbox: Mailbox
    addresses: dict[str, str] = field(default_factory=dict)
    """By policyholder code."""

    async def administrator(self) -> str:
        """A policyholder whose administrator's address the notifier knows; answers the code."""
        code = unique.policyholder_code()
        self.addresses[code] = f"admin-{code}@sample.com"
        news = AddressChanged(
            policyholder_code=code, user_id=f"{code}000", role=Role.ADMINISTRATOR, name="日本　太郎",
            address=self.addresses[code], enabled=True, version=1,
        )  # fmt: skip
        await self.platform.say("identity", news)
        async with self.platform.owner("notifier") as database:
            question = "select true from addresses where user_id = $1"
            await eventually(lambda: database.fetchval(question, news.user_id))
        return code

    def fronts(self, client: aiohttp.ClientSession, urls: list[str], code: str) -> list[Front]:
        """The administrator in front of each process of applications."""
        caller = callers.administrator(code)
        return [Front(client, url, self.platform.headers(caller), caller) for url in urls]

    async def submitted(self, numbers: list[str]) -> set[str]:
        """Those of which applications says that they were submitted."""
        async with self.platform.owner("applications") as database:
            rows = await database.fetch(
                "select number from applications where number = any($1) and state = any($2)", numbers, AFTER_SUBMISSION
            )
        return {row["number"] for row in rows}

    async def recorded(self, numbers: list[str]) -> Counter[str]:
        """How often audit has a record of each submission."""
        async with self.platform.owner("audit") as database:
            rows = await database.fetch(
                """
                select details ->> 'number' as number from history
                 where type = any($1) and details ->> 'number' = any($2)
                """,
                [ApplicationSubmitted.wire_type(), AccountProcedureSubmitted.wire_type()], numbers,
            )  # fmt: skip
        return Counter(row["number"] for row in rows)

    async def receipted(self, numbers: list[str]) -> Counter[str]:
        """How often the notifier was made to write a receipt for each."""
        async with self.platform.owner("notifier") as database:
            rows = await database.fetch(
                "select application_number from mails where template = $1 and application_number = any($2)",
                RECEIPT, numbers,
            )  # fmt: skip
        return Counter(row["application_number"] for row in rows)

    def mailed(self, code: str, numbers: Iterable[str], words: str) -> Counter[str]:
        """How often a mail with these words in its subject came to the administrator about each number."""
        mails = [one for one in self.mailbox.to(self.addresses[code]) if words in str(one["Subject"])]
        return Counter(number for number in numbers for one in mails if number in text_of(one))

    async def agree(self, front: Front, numbers: list[str]) -> set[str]:
        """Submitted ⇔ recorded once ⇔ one receipt written; answers the submitted ones.

        A last application closes the queues: who has heard of it has been told of all before it. Audit may still be
        recording them: it takes two groups at once.
        """
        last = (await front.submitted())["number"]
        submitted = await self.submitted(numbers)

        async def everybody_knows() -> bool:
            known = (await self.recorded([last, *submitted]), await self.receipted([last, *submitted]))
            return all(one.keys() == {last, *submitted} for one in known)

        await eventually(everybody_knows, 60)
        assert await self.recorded(numbers) == Counter(submitted)
        assert await self.receipted(numbers) == Counter(submitted)
        return submitted

    async def settle(self) -> None:
        """Until outboxes are empty and mails are sent."""
        for name in ("applications", "accounts", "notifier"):
            async with self.platform.owner(name) as database:
                await eventually(lambda database=database: _empty(database, "outbox", "true"), 60)  # type: ignore[misc]
        async with self.platform.owner("notifier") as database:
            await eventually(lambda: _empty(database, "mails", "due_at is not null or state = 'sending'"), 60)


@asynccontextmanager
async def accounts_running(platform: Platform) -> AsyncIterator[Runtime]:
    """The real accounts service with its demo banks, while inside."""
    master = bank_files.Master()
    with command_line.DEMO.open(encoding="utf-8", newline="") as lines:
        assert list(bank_files.read(lines, master))
    async with platform.owner("accounts") as database, database.transaction() as tx:
        await banks.put_banks(tx, list(master.banks.values()))
        await banks.put_branches(tx, list(master.branches.values()))
    async with platform.running("accounts") as runtime:
        yield runtime


async def _empty(database: Any, table: str, condition: str) -> bool:
    return not await database.fetchval(f"select exists (select from {table} where {condition})")


@asynccontextmanager
async def everybody(cluster: Cluster, signer: Signer, folder: Path) -> AsyncIterator[Everybody]:
    """Virtual hosts and databases of their own, a real mail server, and all services but identity and applications."""
    with open_mailbox() as mailbox:
        async with Platform(cluster, folder, signer) as platform:
            mails = {"smtp_port": mailbox.port, "smtp_security": "none"}
            others = platform.start("accounts"), platform.start("audit"), platform.start("notifier", **mails)
            await asyncio.gather(*others)
            yield Everybody(platform, mailbox)
