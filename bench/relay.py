"""How fast the outbox reaches the broker: packed windows (ours) against one message an event, in one run (P4)."""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from chassis.amqp import outlet, relay
from chassis.messages import Event
from chassis.service import Service, running
from chassis.settings import Settings
from contracts.caller import Caller
from deploy.local.cluster import test_cluster
from tests.support.keys import Signer
from tests.support.platform import Platform


class BenchSettings(Settings):
    """Settings of the service that is measured."""

    model_config = SettingsConfigDict(env_prefix="BENCH_")


class Happened(Event):
    """An event of about the size of a login's."""

    user_id: str = "123456789001"
    name: str = "日本　太郎"
    department: str = "見本事業部"
    title: str = "事業部長"
    source_address: str = "192.0.2.1"


Happened.__module__ = "contracts.bench"


async def drain(platform: Platform, events: int, most_per_message: int, window: int) -> float:
    """Events a second from a full outbox to all confirmed."""
    outlet.MOST_PER_MESSAGE, relay.WINDOW = most_per_message, window
    async with platform.owner("bench") as database:
        for _ in range(events // 1000):
            async with database.transaction() as tx:
                for _ in range(1000):
                    tx.emit(Happened())
    async with running(platform.services["bench"], platform.settings("bench")) as runtime:
        started: float | None = None
        left = events
        while left:
            now_left = await runtime.database.fetchval("select count(*) from outbox")
            if started is None and now_left < events:
                started, begun_with = time.perf_counter(), now_left
            left = now_left
            await asyncio.sleep(0.005)
        assert started is not None
        return float(begun_with / (time.perf_counter() - started))


async def measure(rounds: int, events: int) -> None:
    """Both shapes in turn, several rounds; prints medians and the ratio round by round."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        migrations = Path(folder) / "bench" / "migrations"
        migrations.mkdir(parents=True)
        service = Service(
            name="bench", title="Bench", caller=Caller, settings=BenchSettings, migrations=migrations,
            outlets={"bench.sink": [Happened]},
        )  # fmt: skip
        async with (
            Signer().published() as signer,
            Platform(cluster, Path(folder), signer, {"bench": service}) as platform,
        ):
            packed, single = [], []
            for _ in range(rounds):
                packed.append(await drain(platform, events, 500, 2000))
                single.append(await drain(platform, events // 4, 1, 500))
    print(f"packed windows     {statistics.median(packed):>9,.0f} events/s   (rounds {[round(x) for x in packed]})")
    print(f"one message each   {statistics.median(single):>9,.0f} events/s   (rounds {[round(x) for x in single]})")
    ratios = [one / other for one, other in zip(packed, single, strict=True)]
    print(f"ratio              {statistics.median(ratios):>9.1f} ×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=40_000)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.rounds, chosen.events))
