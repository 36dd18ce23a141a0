"""What was answered as revoked is refused by every process, and the answer says when it cannot be sure (L9)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import aiohttp
import pytest
from pydantic_settings import SettingsConfigDict

from chassis.amqp.topology import ACCESS, definitions
from chassis.http import Routes
from chassis.messages import Envelope, Event, encode, new_id
from chassis.revocations import BEAT_SECONDS, Revocation
from chassis.service import Runtime, Service
from chassis.settings import Settings
from contracts.caller import Caller
from contracts.permissions import Permission
from deploy.local.cluster import Cluster
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.keys import Signer
from tests.support.platform import Platform, Speaker

pytestmark = pytest.mark.requirement("L9")


class DoorSettings(Settings):
    """Settings of the sample service."""

    model_config = SettingsConfigDict(env_prefix="DOOR_")


class AccessRevoked(Event):
    """The sample service's own revocation."""

    revoked: tuple[Revocation, ...]


AccessRevoked.__module__ = "contracts.door"
routes = Routes(tag="door")


@routes.get("/inside", needs=Permission.USE)
async def inside(caller: Caller) -> dict[str, str]:
    """Who is inside."""
    return {"user": caller.operator.user_id}


@pytest.fixture(scope="module")
async def house(cluster: Cluster, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with a service that has one door."""
    folder: Path = tmp_path_factory.mktemp("door")
    (folder / "door" / "migrations").mkdir(parents=True)
    service = Service(
        name="door", title="Door", caller=Caller, settings=DoorSettings, migrations=folder / "door" / "migrations",
        routes=[routes], revocations=AccessRevoked,
    )  # fmt: skip
    async with Platform(cluster, folder, signer, {"door": service}) as platform:
        yield platform


@pytest.fixture(scope="module")
async def doors(house: Platform) -> AsyncIterator[list[Runtime]]:
    """Three processes of the service."""
    async with house.running("door") as one, house.running("door") as two, house.running("door") as three:
        yield [one, two, three]


async def status(client: aiohttp.ClientSession, door: Runtime, headers: dict[str, str]) -> int:
    """What the door answers."""
    async with client.get(f"{door.url}/inside", headers=headers) as answer:
        return answer.status


async def revoke(door: Runtime, subject: str, below: int = 1) -> datetime | None:
    """Revoke at one process the way identity does; answers since when it is in force everywhere."""
    async with door.database.transaction() as tx:
        event_id = tx.emit(AccessRevoked(revoked=(Revocation(subject=subject, below=below),)))
    return await door.revocations.in_force(event_id)


async def test_no_request_succeeds_anywhere_after_the_answer(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession
) -> None:
    for _ in range(10):
        caller = callers.administrator(unique.policyholder_code())
        headers = house.headers(caller)
        assert [await status(client, door, headers) for door in doors] == [200, 200, 200]
        assert await revoke(doors[0], f"session:{caller.session_id}") is None
        answers = await asyncio.gather(*(status(client, door, headers) for door in doors for _ in range(10)))
        assert set(answers) == {401}


async def test_a_newer_token_of_the_same_user_still_counts(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession
) -> None:
    caller = callers.administrator(unique.policyholder_code())
    subject = f"user:{caller.operator.user_id}"
    await revoke(doors[0], subject, below=5)
    assert await status(client, doors[1], house.headers(caller, {subject: 4})) == 401
    assert await status(client, doors[1], house.headers(caller, {subject: 5})) == 200


async def test_a_process_that_starts_later_knows_what_was_revoked_before(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession
) -> None:
    caller = callers.administrator(unique.policyholder_code())
    await revoke(doors[0], f"session:{caller.session_id}")
    async with house.running("door") as late:
        assert await status(client, late, house.headers(caller)) == 401


async def test_a_process_that_fell_silent_makes_the_answer_say_from_when_it_is_certain(
    house: Platform, doors: list[Runtime]
) -> None:
    """The mutant of the guard: had the silent process not been counted, the answer would be None."""
    revocations = doors[0].revocations
    revocations._beats["door@silent:1"] = datetime.now(UTC) - timedelta(seconds=10)
    try:
        certain = await revoke(doors[0], "session:whatever")
        assert certain is not None
        assert timedelta(minutes=4) < certain - datetime.now(UTC) < timedelta(minutes=5)
    finally:
        del revocations._beats["door@silent:1"]
    assert await revoke(doors[0], "session:whatever") is None


async def test_a_process_that_left_properly_is_not_waited_for(house: Platform, doors: list[Runtime]) -> None:
    async with house.running("door"):
        pass
    assert await revoke(doors[0], "session:whoever") is None


async def test_a_process_that_said_farewell_does_not_beat_again(house: Platform, doors: list[Runtime]) -> None:
    """It goes on reading while it stops; one more beat would make the others wait for its ghost for five minutes."""
    async with house.running("door") as leaving:
        await leaving.revocations.leave()
        await asyncio.sleep(2 * BEAT_SECONDS)
        assert leaving.revocations.member not in doors[0].revocations._beats
    assert await revoke(doors[0], "session:whoever") is None


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c", "Bearer " + "a" * 5000])
async def test_what_is_not_a_token_is_refused(doors: list[Runtime], client: aiohttp.ClientSession, header: str) -> None:
    assert await status(client, doors[0], {"Authorization": header}) == 401


async def test_a_lapsed_token_is_refused(house: Platform, doors: list[Runtime], client: aiohttp.ClientSession) -> None:
    token = house.signer.token(callers.administrator(unique.policyholder_code()), lapses_in=-30)
    assert await status(client, doors[0], {"Authorization": f"Bearer {token}"}) == 401


async def test_a_token_of_another_key_is_refused(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession
) -> None:
    stranger = Signer()
    assert await status(client, doors[0], stranger.headers(callers.administrator(unique.policyholder_code()))) == 401


async def test_a_key_that_was_replaced_ends_tokens_that_were_checked_before_too(
    house: Platform, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator's token lives for days, and rotate-keys ends it."""
    monkeypatch.setattr("chassis.tokens.TRUSTED_SECONDS", 0.1)
    caller = callers.administrator(unique.policyholder_code())
    async with Signer().published() as signer, house.running("door", identity_keys_url=signer.url) as door:
        headers = signer.headers(caller)
        assert await status(client, door, headers) == 200
        signer.replace_key()
        await eventually(lambda: refused(client, door, headers))
        assert await status(client, door, signer.headers(caller)) == 200


async def test_tokens_wait_together_for_keys_that_do_not_come(house: Platform, client: aiohttp.ClientSession) -> None:
    asked = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    address, port = server.sockets[0].getsockname()
    try:
        async with house.running("door", identity_keys_url=f"http://{address}:{port}/jwks.json") as door:
            everybody = [house.headers(callers.administrator(unique.policyholder_code())) for _ in range(20)]
            assert set(await asyncio.gather(*(status(client, door, one) for one in everybody))) == {503}
    finally:
        server.close()
    assert asked <= 2


async def test_what_cannot_be_read_in_the_stream_hides_nothing_else(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession
) -> None:
    """More of it than may be under way at a time: if it were not acknowledged, nothing would come after it."""
    caller = callers.administrator(unique.policyholder_code())
    revoked = AccessRevoked(revoked=(Revocation(subject=f"session:{caller.session_id}", below=1),))
    said = [
        (Envelope(new_id(), AccessRevoked.wire_type(), "/door", unique.now(), None), data)
        for data in ("null", '{"revoked":[[]]}', revoked.model_dump_json())
    ]
    strange = [b"[]", b"7", b'{"member":"door@strange:1","at":"2026-01-01T00:00:00"}', b'{"member":"a","at":7e99}']
    async with Speaker(house.broker("door"), "door") as speaker:
        await asyncio.gather(*(speaker.publish_raw(strange[n % 4], ACCESS, "") for n in range(600)))
        await speaker.publish_raw(encode(said), "events", AccessRevoked.wire_type())
    for door in doors:
        await eventually(lambda one=door: refused(client, one, house.headers(caller)))
    assert await revoke(doors[0], "session:whoever") is None


async def test_a_process_whose_consumer_the_broker_forgot_hears_again(
    house: Platform, doors: list[Runtime], client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.revocations.DEAF_SECONDS", 2.0)
    caller = callers.administrator(unique.policyholder_code())
    headers = house.headers(caller)
    assert [await status(client, door, headers) for door in doors] == [200, 200, 200]
    async with await aio_pika.connect(f"{house.cluster.broker_url}/{house.host}") as connection:
        await (await connection.channel()).queue_delete(ACCESS)
    anew = definitions(house.services.values(), {}, platform=house.host, partner=house.partner_host)
    await house.cluster.apply_definitions(anew)
    await revoke(doors[0], f"session:{caller.session_id}")
    for door in doors:
        await eventually(lambda one=door: refused(client, one, headers), timeout=30)


async def refused(client: aiohttp.ClientSession, door: Runtime, headers: dict[str, str]) -> bool:
    """Whether the door is closed to this caller."""
    return await status(client, door, headers) == 401
