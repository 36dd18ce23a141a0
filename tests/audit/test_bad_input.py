"""Broken, foreign, future, ancient, large and deep messages are set aside with a reason and harm nothing else (B-3)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.amqp import parked
from chassis.messages import Envelope, encode, new_id
from chassis.service import Runtime
from contracts.identity import LoginSucceeded
from contracts.operations import Operation
from tests.audit.conftest import Company, performed, publish, rows, set_aside
from tests.support.eventually import eventually
from tests.support.platform import Platform, Speaker

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


def broken(company: Company) -> list[bytes]:
    """Messages that cannot be read, or not recorded; each a kind of its own."""
    who = company.operator().model_dump()

    def one(data: Any, **changed: Any) -> dict[str, Any]:
        envelope = {
            "specversion": "1.0", "id": str(new_id()), "source": "/identity", "type": LOGIN,
            "time": datetime.now(UTC).isoformat(), "data": data,
        }  # fmt: skip
        return {key: value for key, value in (envelope | changed).items() if value is not None}

    good = {"operator": who, "operation": "1-1"}
    return [
        b"", b"\xff\xfe\x00", b"{", b"[1, 2", b"null", b'"text"', b"[[[]]]", b"NaN",
        b"[" * 100_000, b'{"a":' * 50_000,
        json.dumps([one(good, id=None)]).encode(), json.dumps([one(good, id="7")]).encode(),
        json.dumps([one(good, time="yesterday")]).encode(), json.dumps([one(good, specversion="0.3")]).encode(),
        json.dumps([one(good, sequence="x")]).encode(), json.dumps([one(good, type="accounts.forged")]).encode(),
        json.dumps([one([])]).encode(), json.dumps([one({"operator": None})]).encode(),
        json.dumps([one({"operator": who | {"name": "あ" * 51}})]).encode(),
        json.dumps([one({"operator": who | {"name": "a\0b"}})]).encode(),
        json.dumps([one({"operator": who, "operation": "1-9"})]).encode(),
        json.dumps([one({"operator": who, "outcome": 7})]).encode(),
        json.dumps([one({"operator": who, "session_id": "x" * 5000})]).encode(),
        json.dumps([one(good | {f"member{n}": n for n in range(300)})]).encode(),
        json.dumps([one(good | {"deep": json.loads("[" * 150 + "]" * 150)} | {"id": [[]]})]).encode()[:-3],
        b'[{"specversion":"1.0","id":"' + str(new_id()).encode() + b'","source":"/identity","type":"'
        + LOGIN.encode() + b'","time":"2026-01-01T00:00:00Z","data":{"operator":{"name":"\\ud800"}}}]',
    ]  # fmt: skip


async def test_broken_messages_are_all_set_aside_and_the_good_ones_among_them_all_recorded(
    platform: Platform, company: Company
) -> None:
    """B-3, scaled down."""
    kinds = broken(company)
    async with platform.owner("audit") as database:
        before = await database.fetchval("select count(*) from parked")
    async with Speaker(platform.broker("identity"), "identity") as speaker:
        for place in range(300):
            body = kinds[place % len(kinds)]
            await speaker.publish_raw(body, "events", LOGIN)
            await speaker.publish(LoginSucceeded(operator=company.operator(place % 900)))
    await company.has(300)

    async def all_aside() -> bool:
        async with platform.owner("audit") as database:
            return bool(await database.fetchval("select count(*) from parked") - before == 300)

    await eventually(all_aside)
    assert len(await rows(platform, company.code)) == 300
    async with platform.owner("audit") as database:
        assert not await database.fetchval("select count(*) from parked where reason = ''")


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
