"""A stage for audit's benchmarks: a platform with audit alone, and events as its producers would send them."""

import random
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from audit.service import service
from chassis.messages import Envelope, new_id
from chassis.service import Service
from chassis.settings import Settings
from contracts.actions import Operator
from contracts.caller import Caller
from contracts.identity import LoginSucceeded
from deploy.local.cluster import test_cluster
from tests.support.keys import Signer
from tests.support.platform import Platform

PER_MESSAGE = 500
NAMES = ("日本　太郎", "貿易　花子", "保険　次郎", "輸出　三郎", "東京　良子")
DEPARTMENTS = ("見本事業部", "見本課", "海外営業部", "経理部")
TITLES = ("事業部長", "課長", "", "")


@asynccontextmanager
async def stage() -> AsyncIterator[Platform]:
    """Audit's database, queues and users on the test cluster; removed at the end."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        silent = Path(folder) / "silent"
        silent.mkdir()
        others = {"identity": Service("identity", "identity", Caller, Settings, silent)}
        async with (
            Signer().published() as signer,
            Platform(cluster, Path(folder), signer, of={"audit": service, **others}) as platform,
        ):
            yield platform


def operators(policyholders: int, users: int) -> list[Operator]:
    """People of several companies."""
    chance = random.Random(1)
    return [
        Operator(
            policyholder_code=f"{100_000_000 + code}",
            user_id=f"{100_000_000 + code}{serial:03d}",
            name=chance.choice(NAMES),
            department=chance.choice(DEPARTMENTS),
            title=chance.choice(TITLES),
        )
        for code in range(policyholders)
        for serial in range(users)
    ]


def logins(events: int, people: list[Operator]) -> Iterator[list[tuple[Envelope, str]]]:
    """Login events of random people, numbered densely, as many to a group as a relay's message holds."""
    chance = random.Random(2)
    bodies = [
        LoginSucceeded(operator=who, session_id="0123456789abcdef", source_address="192.0.2.1").model_dump_json()
        for who in people
    ]
    kind = LoginSucceeded.wire_type()
    for start in range(0, events, PER_MESSAGE):
        yield [
            (
                Envelope(new_id(), kind, "/identity", datetime.now(UTC), None, start + place + 1),
                chance.choice(bodies),
            )
            for place in range(min(PER_MESSAGE, events - start))
        ]
