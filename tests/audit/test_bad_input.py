"""Broken, foreign, future, ancient, large and deep messages are set aside with a reason and harm nothing else (B-3)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.amqp import parked
from chassis.messages import Envelope, encode, new_id
from chassis.service import Runtime
from contracts.identity import LoginSucceeded
from contracts.nexi import OperationPerformed
from contracts.operations import Operation
from deploy.local.management import Management
from tests.audit.conftest import Company, performed, publish, rows, set_aside
from tests.support.eventually import eventually
from tests.support.platform import Platform, Speaker
from tests.support.scale import scaled

LOGIN = LoginSucceeded.wire_type()


async def test_late_events_find_their_month_and_bad_times_are_set_aside(platform: Platform, company: Company) -> None:
    now = datetime.now(UTC)
    good = [datetime(2016, 3, 22, tzinfo=UTC), datetime(2019, 2, 28, tzinfo=UTC), now + timedelta(minutes=1)]
    bad = {
        datetime(2016, 3, 21, 14, 59, 59, tzinfo=UTC): "time: before 2016-03-22",
        now + timedelta(days=3): "time: in the future",
        datetime(9999, 12, 31, tzinfo=UTC): "time: in the future",
    }
    reasons = {}
    async with platform.nexi as speaker:
        for at in bad:
            (event_id,) = await speaker.publish(performed(company.operator(), Operation.BUYER_BOOKMARK, at))
            reasons[event_id] = bad[at]
        for at in good:
            await speaker.publish(performed(company.operator(), Operation.BUYER_BOOKMARK, at))
    await company.has(3)
    assert sorted(row["performed_at"] for row in await rows(platform, company.code)) == good
    for event_id, reason in reasons.items():
        assert await eventually(lambda one=event_id: set_aside(platform, one)) == reason


async def test_what_was_set_aside_is_recorded_when_it_is_replayed_after_a_fix(
    platform: Platform, audit: Runtime, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=20)
    (event_id,) = await platform.say("identity", LoginSucceeded(operator=company.operator()), time=at)
    assert await eventually(lambda: set_aside(platform, event_id)) == "time: in the future"
    monkeypatch.setattr("audit.listeners.rows.SKEW", timedelta(hours=1))
    async with audit.database.transaction() as tx:
        number = await tx.fetchval("select number from parked where id = $1", event_id)
        assert await parked.replay(tx, [number]) == 1
    await company.has(1)
    assert [row["id"] for row in await rows(platform, company.code)] == [event_id]


def broken(company: Company, kind: str) -> list[bytes]:
    """Messages that cannot be read, or not recorded; each a kind of its own."""
    who = company.operator().model_dump()
    now = datetime.now(UTC).isoformat()

    def one(data: Any, **changed: Any) -> dict[str, Any]:
        envelope = {
            "specversion": "1.0", "id": str(new_id()), "source": "/identity", "type": kind, "time": now, "data": data,
        }  # fmt: skip
        return {key: value for key, value in (envelope | changed).items() if value is not None}

    good = {"operator": who, "operation": "2-5", "performed_at": now}
    return [
        b"", b"\xff\xfe\x00", b"{", b"[1, 2", b"null", b'"text"', b"[[[]]]", b"NaN",
        b"[" * 100_000, b'{"a":' * 50_000,
        json.dumps([one(good, id=None)]).encode(), json.dumps([one(good, id="7")]).encode(),
        json.dumps([one(good, time="yesterday")]).encode(), json.dumps([one(good, specversion="0.3")]).encode(),
        json.dumps([one(good, sequence="x")]).encode(), json.dumps([one(good, sequence=str(2**70))]).encode(),
        json.dumps([one(good, type="accounts.forged")]).encode(), json.dumps([one(good, type=f"{kind}\0")]).encode(),
        json.dumps([one(good, type="")]).encode(), json.dumps([one(good, time="0001-01-01T00:00:00+09:00")]).encode(),
        json.dumps([one(good | {"operator": None})]).encode(),
        json.dumps([one(good | {"operator": who | {"name": "あ" * 51}})]).encode(),
        json.dumps([one(good | {"operator": who | {"name": "a\0b"}})]).encode(),
        json.dumps([one(good | {"operator": who | {"user_id": ""}})]).encode(),
        json.dumps([one(good | {"operation": "1-9"})]).encode(),
        json.dumps([one(good | {"outcome": 7})]).encode(),
        json.dumps([one(good | {"session_id": "x" * 5000})]).encode(),
        json.dumps([one(good | {f"member{n}": n for n in range(300)})]).encode(),
        json.dumps([one([])]).encode(),
        json.dumps([one(good | {"deep": json.loads("[" * 150 + "]" * 150)} | {"id": [[]]})]).encode()[:-3],
        json.dumps([one(good, time="9999-12-31T23:59:59Z") | {"data": good | {"performed_at": "9999-12-31T23:59:59Z"}}]
                   ).encode(),
        b'[{"specversion":"1.0","id":"' + str(new_id()).encode() + b'","source":"/identity","type":"'
        + kind.encode() + b'","time":"2026-01-01T00:00:00Z","data":{"operator":{"name":"\\ud800"}}}]',
    ]  # fmt: skip


def consumers(platform: Platform) -> set[str]:
    """All who listen, by the tag that each gets anew when it attaches."""
    found = Management(platform.cluster.management_url).call("GET", "/consumers")
    hosts = {platform.host, platform.partner_host}
    return {one["consumer_tag"] for one in found if one["queue"]["vhost"] in hosts}


@pytest.mark.requirement("B-3")
@pytest.mark.chaos
@pytest.mark.parametrize("exchange", ["events", "nexi"])
async def test_broken_messages_are_all_set_aside_and_the_good_ones_among_them_all_recorded(
    platform: Platform, company: Company, exchange: str
) -> None:
    """100,000 of each for each queue in `make chaos`; audit's consumers stay attached all the time."""
    rounds, patience = scaled(10, 3_200), scaled(30, 1200)
    kind = LOGIN if exchange == "events" else OperationPerformed.wire_type()
    count, now = rounds * len(broken(company, kind)), datetime.now(UTC)
    speaker = Speaker(platform.broker("identity"), "identity") if exchange == "events" else platform.nexi

    def good(place: int) -> bytes:
        who = company.operator(place % 900)
        said = LoginSucceeded(operator=who) if exchange == "events" else performed(who, Operation.BUYER_BOOKMARK, now)
        return encode([(Envelope(new_id(), kind, f"/{speaker.name}", now, None), said.model_dump_json())])

    async def counted() -> tuple[int, int]:
        async with platform.owner("audit") as database:
            aside = await database.fetchval("select count(*) from parked where state = 'unreadable' and reason <> ''")
            there = await database.fetchval("select count(*) from history where policyholder_code = $1", company.code)
            return aside - before, there

    async def everything() -> bool:
        return await counted() == (count, count)

    before = 0
    before, _ = await counted()
    attached = await eventually(lambda: asyncio.to_thread(consumers, platform))
    async with speaker:
        for turn in range(rounds):
            bad = [body + b" " * turn for body in broken(company, kind)]  # the same bytes would be set aside once
            bodies = [body for place, one in enumerate(bad) for body in (one, good(turn * len(bad) + place))]
            await asyncio.gather(*(speaker.publish_raw(body, exchange, kind) for body in bodies))
    await eventually(everything, timeout=patience)
    assert len({row["id"] for row in await rows(platform, company.code)}) == count
    assert await asyncio.to_thread(consumers, platform) == attached


async def test_a_large_or_deep_member_is_kept_as_its_digest(platform: Platform, company: Company) -> None:
    operator = company.operator()
    said = json.loads(LoginSucceeded(operator=operator).model_dump_json())
    said |= {"content": {"text": "あ" * 100_000}, "deep": json.loads("[" * 100 + "]" * 100), "small": 1}
    envelope = Envelope(new_id(), LOGIN, "/identity", datetime.now(UTC), None)
    await publish(platform, encode([(envelope, json.dumps(said, ensure_ascii=False))]))
    await company.has(1)
    (row,) = await rows(platform, company.code)
    assert row["details"]["small"] == 1
    assert row["details"]["content"].keys() == {"sha256", "bytes"}


async def test_numbers_that_only_some_json_knows_are_recorded_by_their_names(
    platform: Platform, company: Company
) -> None:
    """PostgreSQL refuses them in JSON, and a whole batch was taken apart to find the one."""
    said = json.loads(LoginSucceeded(operator=company.operator()).model_dump_json())
    said |= {"rate": float("nan"), "bounds": [float("-inf"), 1]}
    envelope = Envelope(new_id(), LOGIN, "/identity", datetime.now(UTC), None)
    await publish(platform, encode([(envelope, json.dumps(said))]))
    await company.has(1)
    (row,) = await rows(platform, company.code)
    assert row["details"] == {"rate": "NaN", "bounds": ["-Infinity", 1]}
