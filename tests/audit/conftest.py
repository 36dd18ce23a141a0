"""What tests of audit share: a running audit, people of a fresh policyholder, and a way to download."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from audit.service import service
from chassis.service import Runtime, Service
from chassis.settings import Settings
from contracts.actions import Operator
from contracts.caller import Caller
from contracts.identity import LoginSucceeded, PasswordChanged
from contracts.nexi import OperationPerformed
from contracts.operations import SESSIONS, Operation
from deploy.local.cluster import Cluster
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker

SPEAKERS = ("identity", "applications", "accounts", "notifier")
BEHIND_THE_PORTAL = {"X-Forwarded-For": "203.0.113.7"}
"""What the portal says about the browser."""


@pytest.fixture(scope="session")
async def platform(
    cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """A platform on which audit runs alone: the other services have a voice (`platform.say`), but no process."""
    silent = tmp_path_factory.mktemp("silent")
    others = {name: Service(name, name, Caller, Settings, silent) for name in SPEAKERS}
    async with Platform(
        cluster, tmp_path_factory.mktemp("platform"), signer, of={"audit": service, **others}
    ) as platform:
        yield platform


@pytest.fixture(scope="session")
async def audit(platform: Platform) -> Runtime:
    """Audit on a real socket, listening."""
    return await platform.start("audit")


def performed(operator: Operator, operation: Operation, at: datetime) -> OperationPerformed:
    """An operation as another system reports it."""
    return OperationPerformed(operator=operator, operation=operation, performed_at=at, issued_at=datetime.now(UTC))


@dataclass
class Company:
    """A policyholder of its own for one test, seen through audit's gateway."""

    platform: Platform
    url: str
    client: aiohttp.ClientSession
    code: str
    administrator: Caller

    def operator(self, serial: int = 0, **changed: Any) -> Operator:
        """The administrator (000) or an applicant, as of some operation."""
        who = self.administrator if serial == 0 else callers.applicant(self.code, serial)
        return who.operator.model_copy(update=changed)

    async def did(self, *done: tuple[Operator, Operation, datetime]) -> None:
        """Other systems report these operations, identity its own; comes back when all of them are recorded."""
        ids: list[UUID] = []
        for who, operation, at in done:
            if operation in SESSIONS:
                login = operation is Operation.LOGIN
                said = LoginSucceeded(operator=who) if login else PasswordChanged(operator=who, forced=False)
                ids += await self.platform.say("identity", said, time=at)
        async with self.platform.nexi as speaker:
            ids += await speaker.publish(*(performed(*one) for one in done if one[1] not in SESSIONS))

        async def recorded() -> bool:
            async with self.platform.owner("audit") as database:
                return bool(await database.fetchval("select count(*) from entries where id = any($1)", ids) == len(ids))

        await eventually(recorded)

    async def has(self, records: int) -> None:
        """Wait until this policyholder has so many rows."""

        async def counted() -> bool:
            async with self.platform.owner("audit") as database:
                found = await database.fetchval("select count(*) from history where policyholder_code = $1", self.code)
                return bool(found >= records)

        await eventually(counted)

    def applicant(self, serial: int) -> Caller:
        """One of the policyholder's applicants."""
        return callers.applicant(self.code, serial)

    async def report(self, operation: str, key: str, caller: Caller) -> tuple[int, dict[str, Any]]:
        """A front end reports an operation of its user."""
        async with self.client.post(
            f"{self.url}/operations",
            json={"operation": operation},
            headers=self.platform.headers(caller) | BEHIND_THE_PORTAL | {"Idempotency-Key": key},
        ) as response:
            return response.status, dict(await response.json())

    async def search(self, first: str, last: str, caller: Caller | None = None, **more: Any) -> dict[str, Any]:
        """検索."""
        async with self.client.post(
            f"{self.url}/access-history/searches",
            json={"first_day": first, "last_day": last, **more},
            headers=self.platform.headers(caller or self.administrator) | BEHIND_THE_PORTAL,
        ) as response:
            assert response.status == 201, await response.text()
            return dict(await response.json())

    async def get(self, path: str, caller: Caller | None = None) -> tuple[int, bytes]:
        """Status and body of any resource."""
        headers = self.platform.headers(caller or self.administrator) | BEHIND_THE_PORTAL
        async with self.client.get(f"{self.url}{path}", headers=headers) as response:
            return response.status, await response.read()

    async def download(self, found: dict[str, Any]) -> bytes:
        """ダウンロード."""
        status, body = await self.get(f"/access-history/searches/{found['id']}/csv")
        assert status == 200, body
        return body


@pytest.fixture
async def company(platform: Platform, audit: Runtime, client: aiohttp.ClientSession) -> Company:
    """A policyholder nobody else uses."""
    code = unique.policyholder_code()
    return Company(platform, audit.url, client, code, callers.administrator(code))


async def rows(platform: Platform, code: str) -> list[Any]:
    """Everything recorded of a policyholder, in the order in which it was done; two groups are recorded at once, so
    the numbers may follow another."""
    async with platform.owner("audit") as database:
        return await database.fetch(
            "select * from history where policyholder_code = $1 order by performed_at, user_id", code
        )


async def set_aside(platform: Platform, event_id: UUID) -> str | None:
    """Why an event is in quarantine, if it is."""
    async with platform.owner("audit") as database:
        found: str | None = await database.fetchval("select reason from parked where id = $1", event_id)
        return found


async def publish(platform: Platform, body: bytes, key: str = LoginSucceeded.wire_type()) -> None:
    """Bytes from identity's broker user."""
    async with Speaker(platform.broker("identity"), "identity") as speaker:
        await speaker.publish_raw(body, "events", key)
