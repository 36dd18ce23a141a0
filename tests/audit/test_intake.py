"""Every action becomes exactly one row as it was said; what cannot be recorded is set aside and harms nothing else."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.amqp import parked
from chassis.messages import Envelope, encode, new_id
from chassis.service import Runtime
from contracts.audit import RecordContradicted
from contracts.identity import AddressChanged, LoggedOut, LoginSucceeded, PasswordReset
from contracts.nexi import OperationPerformed
from contracts.operations import Operation
from contracts.permissions import Role
from tests.audit.conftest import Company, performed
from tests.support.eventually import eventually
from tests.support.platform import Platform, Speaker

LOGIN = LoginSucceeded.wire_type()


async def rows(platform: Platform, code: str) -> list[Any]:
    """Everything recorded of a policyholder, in the order of arrival."""
    async with platform.owner("audit") as database:
        return await database.fetch("select * from history where policyholder_code = $1 order by number", code)


async def set_aside(platform: Platform, event_id: UUID) -> str | None:
    """Why an event is in quarantine, if it is."""
    async with platform.owner("audit") as database:
        found: str | None = await database.fetchval("select reason from parked where id = $1", event_id)
        return found


@pytest.mark.requirement("R256", "R316", "R317", "H3")
async def test_the_operator_is_kept_as_of_the_operation(platform: Platform, company: Company) -> None:
    before = company.operator(1, name="貿易　花子", department="見本課", title="")
    after = company.operator(1, name="保険　花子", department="輸出部", title="部長")
    await platform.say("identity", LoginSucceeded(operator=before, session_id="s1", source_address="192.0.2.7"))
    await platform.say("identity", LoginSucceeded(operator=after))
    await company.has(2)
    first, second = await rows(platform, company.code)
    assert (first["name"], first["department"], first["title"]) == ("貿易　花子", "見本課", "")
    assert (second["name"], second["department"], second["title"]) == ("保険　花子", "輸出部", "部長")
    assert (first["operation"], first["session_id"], first["source_address"]) == ("1-1", "s1", "192.0.2.7")


@pytest.mark.requirement("H2")
async def test_what_is_not_in_the_catalogue_goes_to_the_trail_with_its_details(
    platform: Platform, company: Company
) -> None:
    who = company.operator()
    await platform.say("identity", PasswordReset(operator=who, about_user_id=f"{company.code}001"))
    await platform.say("identity", LoggedOut(operator=who))
    await company.has(2)
    reset, _ = await rows(platform, company.code)
    assert reset["operation"] is None
    assert reset["details"] == {"about_user_id": f"{company.code}001"}


async def test_an_event_that_no_person_caused_is_no_row(platform: Platform, company: Company) -> None:
    code = company.code
    await platform.say(
        "identity",
        AddressChanged(
            policyholder_code=code, user_id=f"{code}000", role=Role.ADMINISTRATOR, name="日本　太郎",
            address="taro@sample.com", enabled=True, version=1,
        ),
    )  # fmt: skip
    await platform.say("identity", LoginSucceeded(operator=company.operator()))
    await company.has(1)
    assert [row["type"] for row in await rows(platform, code)] == [LOGIN]


async def test_an_event_that_comes_again_is_one_row(platform: Platform, company: Company) -> None:
    events = [LoginSucceeded(operator=company.operator(serial)) for serial in range(5)]
    at = datetime.now(UTC)
    ids = await platform.say("identity", *events, time=at)
    await company.has(5)
    envelopes = [
        Envelope(event_id, LOGIN, "/identity", at, None) for event_id in ids for _ in range(3)
    ]  # all of them three times more, in one message
    body = encode([(one, events[place // 3].model_dump_json()) for place, one in enumerate(envelopes)])
    await publish(platform, body)
    await platform.say("identity", LoginSucceeded(operator=company.operator(9)))
    await company.has(6)
    assert len(await rows(platform, company.code)) == 6


async def test_the_same_id_with_another_content_or_time_raises_an_alarm_and_the_first_stays(
    platform: Platform, company: Company
) -> None:
    at = datetime.now(UTC)
    (event_id,) = await platform.say("identity", LoginSucceeded(operator=company.operator(1)), time=at)
    (other_id,) = await platform.say("identity", LoginSucceeded(operator=company.operator(2)), time=at)
    await company.has(2)
    async with platform.hears(RecordContradicted) as spy:
        await platform.say("identity", LoginSucceeded(operator=company.operator(3)), ids=[event_id], time=at)
        await spy.next(event_id=str(event_id))
        late = at - timedelta(days=40)
        await platform.say("identity", LoginSucceeded(operator=company.operator(2)), ids=[other_id], time=late)
        await spy.next(event_id=str(other_id))
    assert [row["user_id"][-3:] for row in await rows(platform, company.code)] == ["001", "002"]
    for one in (event_id, other_id):
        assert await set_aside(platform, one) == "id: recorded before with another content"


async def publish(platform: Platform, body: bytes, key: str = LOGIN) -> None:
    """Bytes from identity's broker user."""
    async with Speaker(platform.broker("identity"), "identity") as speaker:
        await speaker.publish_raw(body, "events", key)


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


@pytest.mark.requirement("H1")
async def test_another_system_may_report_operations_and_nothing_else(platform: Platform, company: Company) -> None:
    operator = company.operator()
    forged = Envelope(new_id(), LOGIN, "/identity", datetime.now(UTC), None)
    uncatalogued = Envelope(new_id(), OperationPerformed.wire_type(), "/nexi", datetime.now(UTC), None)
    said = performed(operator, Operation.CONTRACT_DOWNLOAD, datetime.now(UTC)).model_dump(mode="json")
    async with platform.nexi as speaker:
        body = encode([(forged, LoginSucceeded(operator=operator).model_dump_json())])
        await speaker.publish_raw(body, "nexi", "nexi.anything")
        body = encode([(uncatalogued, json.dumps(said | {"operation": "9-99"}))])
        await speaker.publish_raw(body, "nexi", uncatalogued.type)
        await speaker.publish(performed(operator, Operation.CONTRACT_DOWNLOAD, datetime.now(UTC)))
    await company.has(1)
    (row,) = await rows(platform, company.code)
    assert (row["operation"], row["type"]) == ("8-2", "nexi.operation_performed")
    assert await eventually(lambda: set_aside(platform, forged.id)) == "type: not NEXI's to say"
    assert str(await eventually(lambda: set_aside(platform, uncatalogued.id))).startswith("operation: ")


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


async def test_text_of_every_kind_comes_back_as_it_was(platform: Platform, company: Company) -> None:
    words = ["\t tab", "line\nline\r\n", "\\N", "\\", 'quo"te', "\x01\x08\x0b\x0c", "𠮷野家😀", "\\.", "", "'; drop"]
    for word in words:
        await platform.say("identity", LoginSucceeded(operator=company.operator(name=word, department=word[:25])))
    await company.has(len(words))
    assert [row["name"] for row in await rows(platform, company.code)] == words


@pytest.mark.requirement("H1")
async def test_a_front_end_reports_with_the_users_own_token_and_only_once(platform: Platform, company: Company) -> None:
    caller = company.applicant(7)
    key = secrets.token_hex(8)
    answers = [await company.report("2-5", key, caller) for _ in range(3)]
    assert {status for status, _ in answers} == {202}
    assert len({answer["event_id"] for _, answer in answers}) == 1
    status, problem = await company.report("2-6", key, caller)
    assert (status, problem["type"]) == (422, "/problems/key-reused")
    assert (await company.report("9-99", secrets.token_hex(8), caller))[0] == 422
    await company.has(1)
    await company.report("8-1", secrets.token_hex(8), caller)
    await company.has(2)
    first, second = await rows(platform, company.code)
    assert (first["user_id"], first["operation"], first["name"]) == (f"{company.code}007", "2-5", "貿易　花子")
    assert second["operation"] == "8-1"


async def test_two_processes_record_everything_once(platform: Platform, audit: Runtime, company: Company) -> None:
    async with platform.running("audit"):
        events = [LoginSucceeded(operator=company.operator(n % 900)) for n in range(400)]
        await asyncio.gather(*(platform.say("identity", *events[part::4]) for part in range(4)))
        await company.has(400)
    found = await rows(platform, company.code)
    assert len({row["number"] for row in found}) == len(found) == 400


async def test_the_service_itself_cannot_change_or_remove_a_row(platform: Platform, audit: Runtime) -> None:
    for statement in (
        "update history set name = 'x'", "delete from history", "truncate history", "update entries set number = 1",
        "delete from blocks", "update blocks set rows = 1", "drop table history", "delete from checkpoints",
        "update manifests set manifest = '{}'",
    ):  # fmt: skip
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            await audit.database.execute(statement)
