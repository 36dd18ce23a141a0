"""Hundreds of events fit into one transaction; one that breaks it is found and set aside, the others go on."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic_settings import SettingsConfigDict

from chassis.amqp import Listeners
from chassis.amqp.outlet import MOST_PER_MESSAGE, pack
from chassis.messages import Envelope, Event, OutboxPosition, new_id
from chassis.service import Runtime, Service
from chassis.settings import Settings
from chassis.sql import Tx
from contracts.caller import Caller
from deploy.local.cluster import Cluster
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker


class LedgerSettings(Settings):
    """Settings of the sample service."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_")


class Counted(Event):
    """Something to count."""

    group: str
    place: int
    how: str = "good"


Counted.__module__ = "contracts.ledger"
listeners = Listeners("everything", prefetch=500)
sizes: list[int] = []


@listeners.batch(("events", "#"), most=500)
async def record(batch: Sequence[Envelope], tx: Tx) -> list[tuple[Envelope, str]]:
    """Write a batch down; idempotent by event id. How far the relay says it is, is nothing to count."""
    batch = [one for one in batch if not one.type.endswith(OutboxPosition.NAME)]
    sizes.append(len(batch))
    good = [one for one in batch if one.data.get("how") != "refused"]
    await tx.execute(
        "insert into counted (id, grp, divided) select id, grp, 1 / divisor"
        "  from unnest($1::uuid[], $2::text[], $3::int[]) as new (id, grp, divisor) on conflict do nothing",
        [one.id for one in good],
        [one.data["group"] for one in good],
        [0 if one.data.get("how") == "broken" else 1 for one in good],
    )
    return [(one, "refused by the listener") for one in batch if one.data.get("how") == "refused"]


MIGRATION = """-- tables of the sample service
create table counted (id uuid primary key, grp text not null, divided integer not null);
grant select, insert on counted to ledger;
"""


@pytest.fixture(scope="module")
async def ledger(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with a service that hears everything in batches."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    migrations = folder / "ledger" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_tables.sql").write_text(MIGRATION)
    service = Service(
        name="ledger", title="Ledger", caller=Caller, settings=LedgerSettings, migrations=migrations,
        listeners=[listeners],
    )  # fmt: skip
    async with Platform(cluster, folder, signer, {"ledger": service}) as platform:
        yield platform


@pytest.fixture(scope="module")
async def running(ledger: Platform) -> Runtime:
    """The sample service."""
    return await ledger.start("ledger")


async def count(runtime: Runtime, group: str) -> int:
    """How many events of a group were written down."""
    found = await runtime.database.fetchval("select count(*) from counted where grp = $1", group)
    assert isinstance(found, int)
    return found


async def test_what_is_said_in_one_transaction_is_heard_in_few_batches(ledger: Platform, running: Runtime) -> None:
    group, before = unique.word(), len(sizes)
    async with running.database.transaction() as tx:
        for place in range(2000):
            tx.emit(Counted(group=group, place=place))

    async def all_there() -> bool:
        return await count(running, group) == 2000

    await eventually(all_there)
    assert len(sizes) - before <= 12


async def test_broken_and_refused_events_are_set_aside_and_the_others_written(
    ledger: Platform, running: Runtime
) -> None:
    group = unique.word()
    how = {7: "broken", 31: "refused", 40: "broken"}
    async with running.database.transaction() as tx:
        ids = [tx.emit(Counted(group=group, place=place, how=how.get(place, "good"))) for place in range(60)]

    async def others_there() -> bool:
        return await count(running, group) == 57

    await eventually(others_there)

    async def aside() -> dict[UUID, Any]:
        rows = await running.database.fetch("select id, state, reason from parked where id = any($1)", ids)
        return {row["id"]: row for row in rows} if len(rows) == 3 else {}

    found = await eventually(aside)
    assert found[ids[31]]["state"] == "unreadable"
    assert found[ids[31]]["reason"] == "refused by the listener"
    assert found[ids[7]]["reason"] == "DivisionByZeroError 22012"
    assert found[ids[40]]["state"] == "retrying"


async def test_a_service_cannot_speak_for_another(ledger: Platform, running: Runtime) -> None:
    """Where the broker's rights were set wrong, the listener still notices whose connection it was."""
    group, event_id = unique.word(), new_id()
    envelope = {
        "specversion": "1.0", "id": str(event_id), "type": "identity.login_succeeded", "source": "/identity",
        "time": "2026-01-01T00:00:00Z", "data": {"group": group},
    }  # fmt: skip
    speaker = Speaker(ledger.broker("ledger"), "ledger")
    await speaker.publish_raw(json.dumps([envelope]).encode(), "events", "ledger.counted")

    async def quarantined() -> Any:
        return await running.database.fetchrow("select * from parked where id = $1", event_id)

    assert (await eventually(quarantined))["reason"] == "source: the sender may not speak for this service"
    assert await count(running, group) == 0


def row(place: int, kind: str, data: str = "{}") -> dict[str, Any]:
    """A row of the outbox."""
    return {"place": place, "exchange": "events", "type": kind, "data": data}


def test_packing_keeps_the_order_within_a_type_and_loses_nothing() -> None:
    rows = [row(place, f"kind{place % 3}") for place in range(4000)]
    packed = pack(rows)
    assert max(len(group) for _, _, group in packed) <= MOST_PER_MESSAGE
    for kind in ("kind0", "kind1", "kind2"):
        places = [one["place"] for _, found, group in packed for one in group if found == kind]
        assert places == [one["place"] for one in rows if one["type"] == kind]


def test_packing_bounds_the_bytes_of_a_message() -> None:
    packed = pack([row(place, "kind", "x" * 200_000) for place in range(5)])
    assert [len(group) for _, _, group in packed] == [1, 1, 1, 1, 1]
