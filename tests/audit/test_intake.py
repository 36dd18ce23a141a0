"""Every action becomes exactly one row as it was said; what cannot be recorded is set aside and harms nothing else."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from chassis.messages import Envelope, encode, new_id
from chassis.service import Runtime
from chassis.sql.database import STATEMENT_SECONDS
from contracts.audit import RecordContradicted
from contracts.identity import AddressChanged, LoggedOut, LoginSucceeded, PasswordReset
from contracts.nexi import OperationPerformed
from contracts.operations import Operation
from contracts.permissions import Role
from tests.audit.conftest import Company, performed, publish, rows, set_aside
from tests.support.eventually import eventually
from tests.support.platform import Platform

LOGIN = LoginSucceeded.wire_type()


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
    assert first["source_address"] == "203.0.113.7", "the browser's, not the portal's"
    assert second["operation"] == "8-1"


async def test_a_block_that_a_slow_disk_writes_for_longer_than_a_request_may_wait_is_recorded(
    platform: Platform, company: Company
) -> None:
    """Else the same block would be tried, and fail, for ever: that looks as if the database were away."""
    slowly = f"""
        create function write_slowly() returns trigger language plpgsql as
            $$ begin perform pg_sleep({STATEMENT_SECONDS + 0.5}); return new; end $$;
        create trigger slow before insert on history for each row
            when (new.policyholder_code = '{company.code}') execute function write_slowly();
    """
    async with platform.owner("audit") as database:
        await database.execute(slowly)
        try:
            await platform.say("identity", LoginSucceeded(operator=company.operator()))
            await company.has(1)
        finally:
            await database.execute("drop function write_slowly cascade")


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
