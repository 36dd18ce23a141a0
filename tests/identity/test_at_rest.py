"""No password, code, link or token can be read anywhere at rest, however much is logged (S-1, law 6)."""

import asyncio
import csv
import io
import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aio_pika
import aiohttp
import asyncpg
import pytest

from deploy.local.cluster import Cluster
from deploy.local.outsiders import Outside, Person, new_password, secret_in
from deploy.local.refusals import Refusal
from deploy.local.seed import first_login, head_office
from identity.rules import imports
from tests.support import at_rest, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.mailbox import Mailbox, open_mailbox, text_of
from tests.support.platform import Platform
from tests.support.ports import free_port
from tests.support.processes import environment, serving
from tests.support.scale import scaled

COMPANIES = scaled(1, 12)
ROWS, FILES = scaled(20, 200), scaled(1, 4)
"""Applicants of one file, and files of one company."""
SETTLED = scaled(3, 12)
"""Applicants of a company who log in, choose a password and err; as many get a reset."""
ADDRESSES, REISSUES = scaled(2, 5), scaled(1, 5)
ENOUGH = scaled(50, 10_000)
LINK = re.compile(r"#token=([A-Za-z0-9_-]{43})")
CSV = {"Content-Type": "text/csv"}
NAMED = os.environ.keys() & {"POSTGRES_URL", "RABBITMQ_URL"}
pytestmark = [pytest.mark.chaos, pytest.mark.skipif(bool(NAMED), reason="the servers' folders are somebody else's")]


class House:
    """identity, the notifier and audit as processes that log all they can, and everything secret that was seen."""

    def __init__(self, platform: Platform, outside: Outside, mailbox: Mailbox) -> None:
        self.platform, self.outside, self.mailbox = platform, outside, mailbox
        self.secrets: set[str] = set()
        self._read = 0

    async def mails(self, count: int) -> list[str]:
        """The texts of the next so many mails; what is secret in them is known then."""

        async def came() -> bool:
            return len(self.mailbox.received) >= self._read + count

        await eventually(came, 300)
        texts = [text_of(message) for _, message in self.mailbox.received[self._read : self._read + count]]
        self._read += count
        for text in texts:
            link = LINK.search(text)
            with suppress(Refusal):  # the notice to an old address holds none
                self.secrets.add(link[1] if link else secret_in(text))
        return texts

    def note(self, person: Person, *passwords: str) -> None:
        """What a front end holds of somebody who is logged in; of an access token the signature is the secret."""
        signature = person.tokens["access"].rpartition(".")[2]
        self.secrets |= {person.session_token, signature, *passwords}


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A platform of its own whose servers log every statement, and whose broker forgets no message."""
    port = free_port()
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(Platform(cluster, tmp_path_factory.mktemp("rest"), signer))
        await stack.enter_async_context(talkative(platform))
        await stack.enter_async_context(kept(platform))
        mailbox = stack.enter_context(open_mailbox())
        mails = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_security": "none"}
        own: dict[str, dict[str, Any]] = {
            "identity": {"port": port, "identity_keys_url": f"http://127.0.0.1:{port}/.well-known/jwks.json"}
            | dict.fromkeys(("reissues_per_source", "failures_per_source", "import_rows"), 999),
            "notifier": mails,
            "audit": {},
        }
        known = {}
        for name, told in own.items():
            process = await stack.enter_async_context(serving(platform, name, log_level="DEBUG", **told))
            known[name] = {"urls": [process.url], "environment": environment(platform.settings(name, **told))}
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)))
        broker = platform.broker("nexi", platform.partner_host)
        yield House(platform, Outside({"services": known, "partner_broker_url": broker}, http), mailbox)


@asynccontextmanager
async def talkative(platform: Platform) -> AsyncIterator[None]:
    """PostgreSQL logs every statement of the platform with its parameters."""
    server = await asyncpg.connect(platform.cluster.postgres_url)
    for name in platform.services:
        for setting in ("log_statement = 'all'", "log_error_verbosity = 'default'"):
            await server.execute(f"alter database {platform.prefix}_{name} set {setting}")
    await server.close()
    yield


@asynccontextmanager
async def kept(platform: Platform) -> AsyncIterator[None]:
    """A copy of every message stays in a quorum queue, as in one that nobody reads."""
    connection = await aio_pika.connect(f"{platform.cluster.broker_url}/{platform.host}")
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        for exchange in ("events", "commands"):
            await queue.bind(exchange, "#")
        yield


class Firm:
    """One policyholder and all that its people do with secrets."""

    def __init__(self, house: House) -> None:
        self.house, self.code = house, unique.policyholder_code()
        self.mail = f"{self.code}@sample.com"

    async def live(self) -> None:
        """Every kind of secret is issued and used."""
        await self.open()
        ids = await self.import_applicants()
        settled = await asyncio.gather(*map(self.settle_in, ids[:SETTLED]))
        await asyncio.gather(*map(self.reset, ids[SETTLED : 2 * SETTLED]))
        await self.house.mails(SETTLED)
        for number in range(ADDRESSES):
            await self.change(email=f"{number}-{self.mail}", current_password=self.own)
            await self.house.mails(2)
        for _ in range(REISSUES):
            asked = {"user_id": self.administrator.user_id, "email": self.mail}
            await self.house.outside.call("POST", "identity", "/password-reissues", json=asked)
            await self.house.mails(1)
        await self.change(one_time_password=True)
        everybody = [self.administrator, *settled]
        await asyncio.gather(*map(self.ask_for_one_time_password, everybody))
        texts = await self.house.mails(len(everybody))
        for person in everybody:
            await self.enter(person, secret_in(next(text for text in texts if person.user_id in text)))

    async def open(self) -> None:
        """The administrator logs in with the letter's password and chooses an own one."""
        user_id = f"{self.code}000"
        await self.house.outside.say(head_office(self.code, self.mail))
        first = secret_in(await self.house.outside.letter_to(user_id))
        self.administrator, self.own = await first_login(self.house.outside, user_id, first)
        self.house.note(self.administrator, first, self.own)

    async def import_applicants(self) -> list[str]:
        """Files of applicants; answers the IDs. Each first password is mailed to the administrator."""
        self.first: dict[str, str] = {}
        for number in range(FILES):
            content = self._file(number)
            headers = self.administrator.headers() | CSV
            path = "/applicant-imports"
            ask = self.house.outside.call
            checked = await ask("POST", "identity", f"{path}/validation", data=content, headers=headers)
            headers |= {"Content-Digest-Checked": checked["digest"]}
            done = await ask("POST", "identity", path, data=content, headers=headers)
            texts = await self.house.mails(ROWS)
            for user_id in (one["user_id"] for one in done["registered"]):
                self.first[user_id] = secret_in(next(text for text in texts if user_id in text))
        return list(self.first)

    def _file(self, number: int) -> bytes:
        rest = ["貿易　花子", "", "", "", "入力権限のみ", "情報データ参照不可", "", "申込データ参照不可"]
        text = io.StringIO()
        rows = ([f"{self.code}-{number}-{row}@sample.com", *rest] for row in range(ROWS))
        csv.writer(text).writerows([imports.HEADER, *rows])
        return text.getvalue().encode()

    async def settle_in(self, user_id: str) -> Person:
        """An applicant logs in with the first password and chooses an own one; a wrong one is a secret too."""
        person, own = await first_login(self.house.outside, user_id, self.first[user_id])
        wrong = new_password()
        await person.try_password(wrong)
        self.house.note(person, own, wrong)
        return person

    async def reset(self, user_id: str) -> None:
        """The administrator resets a password."""
        await self.administrator.call("POST", "identity", f"/applicants/{user_id}/password-reset")

    async def change(self, **values: Any) -> None:
        """The administrator's own data."""
        shown = await self.administrator.call("GET", "identity", "/administrator")
        names = ("version", "email", "name", "phone", "department", "title", "one_time_password")
        form = {name: shown[name] for name in names} | values
        await self.administrator.call("PUT", "identity", "/administrator", json=form)

    async def ask_for_one_time_password(self, person: Person) -> None:
        """Have one mailed."""
        await person.refresh()
        await person.call("POST", "identity", "/one-time-passwords")

    async def enter(self, person: Person, code: str) -> None:
        """Type it, after a wrong one."""
        path, typed = "/one-time-passwords/entries", {"code": "wrong"}
        await self.house.outside.try_to("POST", "identity", path, json=typed, headers=person.headers())
        answer = await person.call("POST", "identity", path, json={"code": code})
        person.tokens["access"] = answer["access_token"]
        self.house.note(person)


@pytest.mark.requirement("S-1", "L5", "O1", "E3")
async def test_no_secret_is_found_in_any_file_of_any_server(house: House) -> None:
    firms = [Firm(house) for _ in range(COMPANIES)]
    for firm in firms:
        await firm.live()
    assert len(house.secrets) >= ENOUGH
    await at_rest.settle(house.platform)
    where = at_rest.places(house.platform)
    public = f"{firms[0].code}000"
    holding = (await at_rest.found([public], where))[public]
    assert {"postgres", "rabbitmq", "identity.dump.sql"} <= at_rest.parts(holding, where), "what is no secret is found"
    assert await at_rest.found(sorted(house.secrets), where) == {}


@pytest.mark.requirement("S-1")
async def test_the_search_would_find_them(house: House) -> None:
    written = {place: secrets.token_urlsafe(16) for place in ("database", "log")}
    async with house.platform.owner("identity") as database:
        put = "insert into source_limits (kind, source, tokens, at) values ('planted', $1, 1, now())"
        await database.execute(put, written["database"])
    forms = {}
    for number, form in enumerate(at_rest.spellings(written["log"])):
        forms[house.platform.folder / f"{number}.log"] = form
    for path, form in forms.items():
        path.write_bytes(b"something " + form + b" and more")
    await at_rest.settle(house.platform)
    where = at_rest.places(house.platform)
    hits = await at_rest.found(list(written.values()), where)
    assert hits[written["log"]] == set(forms)
    assert {"postgres", "identity.dump.sql"} <= at_rest.parts(hits[written["database"]], where)
