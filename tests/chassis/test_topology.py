"""A broker user may do what its service needs and nothing else; the broker itself refuses the rest (T13, T22)."""

import aio_pika
import aiormq
import pytest

from chassis.amqp import topology
from contracts.identity import LoggedOut
from contracts.nexi import ProcedureRejected
from contracts.notifier import SendMail
from tests.support import callers, unique
from tests.support.platform import Platform

LOGGED_OUT = LoggedOut(operator=callers.administrator("123456789").operator)


async def refused(url: str, exchange: str, key: str, user: str) -> bool:
    """Whether the broker refuses to take a message from this user."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        place = await channel.get_exchange(exchange, ensure=False)
        try:
            await place.publish(aio_pika.Message(b"[]", user_id=user), routing_key=key, timeout=10)
        except (aiormq.exceptions.ChannelAccessRefused, aiormq.exceptions.ChannelInvalidStateError):
            return True
        return False


@pytest.mark.parametrize(
    ("user", "exchange", "key", "may"),
    [
        ("identity", "events", LoggedOut.wire_type(), True),
        ("audit", "events", LoggedOut.wire_type(), False),
        ("identity", "commands", SendMail.wire_type(), True),
        ("accounts", "commands", SendMail.wire_type(), False),
        ("applications", "commands", SendMail.wire_type(), False),
    ],
)
async def test_a_service_speaks_in_its_own_name_and_sends_its_own_commands_only(
    platform: Platform, user: str, exchange: str, key: str, may: bool
) -> None:
    assert await refused(platform.broker(user), exchange, key, user) is not may


async def test_queues_that_are_there_stay_as_they_are_when_a_release_declares_them_otherwise(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "DEAD_DELIVERY_LIMIT", 7)
    anew = topology.definitions(platform.services.values(), {}, platform=platform.host, partner=platform.partner_host)
    assert any(queue["arguments"].get("x-delivery-limit") == 7 for queue in anew["queues"])
    await platform.cluster.apply_definitions(anew)


async def test_nobody_speaks_as_nexi_but_nexi(platform: Platform) -> None:
    host = platform.partner_host
    assert await refused(platform.broker("applications", host), "nexi", ProcedureRejected.wire_type(), "applications")
    assert not await refused(platform.broker("nexi", host), "nexi", f"nexi.{unique.word()}", "nexi")


@pytest.mark.parametrize("user", ["identity", "nexi"])
async def test_no_user_may_declare_or_read_what_is_not_its_own(platform: Platform, user: str) -> None:
    connection = await aio_pika.connect(platform.broker(user))
    async with connection:
        channel = await connection.channel()
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await channel.declare_queue(f"{user}.own", durable=True)
        channel = await connection.channel()
        queue = await channel.get_queue("audit.events", ensure=False)
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await queue.get(timeout=5)
