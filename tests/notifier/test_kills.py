"""A kill or a stop in the middle of one mail: it is sent again as it was, or finished."""

import asyncio
from uuid import UUID

import pytest

from contracts.notifier import Template
from tests.notifier.conftest import sending_to, told
from tests.notifier.relays import bad_relay
from tests.notifier.wishes import Wishes, address
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.processes import serving

pytestmark = pytest.mark.chaos


@pytest.mark.requirement("R-6", "H6")
async def test_a_kill_between_the_text_and_the_answer_repeats_the_same_mail(apart: Platform) -> None:
    to = address()
    taken = asyncio.Event()
    async with bad_relay() as relay:
        wishes, mail_id = await _ready(apart, to)

        async def silent(step: str, _recipient: str) -> None:
            if step == "TEXT" and not taken.is_set():
                taken.set()
                await asyncio.sleep(60)

        relay.wait = silent
        async with serving(apart, "notifier", **told(relay.port, apart.folder / "letters")) as process:
            async with asyncio.timeout(20):
                await taken.wait()
            process.child.kill()
            await process.child.wait()
        async with (
            serving(apart, "notifier", **told(relay.port, apart.folder / "letters")),
            apart.owner("notifier") as database,
        ):

            async def sent() -> bool:
                return bool(await database.fetchval("select state = 'sent' from mails where id = $1", mail_id))

            await eventually(sent, 30)
            first, second = relay.to(to)
            assert first.raw == second.raw
            assert first.message["Message-ID"] == f"<{mail_id}@nexi.go.jp>"
            assert await database.fetchval("select attempts from mails where id = $1", mail_id) == 2
    assert wishes


async def _ready(platform: Platform, to: str) -> tuple[Wishes, UUID]:
    """A mail that was written down by a process that could not send it and is gone."""
    async with bad_relay() as nowhere:
        port = nowhere.port
    async with sending_to(platform, port) as wishes:
        mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret="Hk7mPw3xRt9vNc4d"))
        await wishes.end(mail_id, "retrying", "received")
    async with platform.owner("notifier") as database:
        await database.execute("update mails set state = 'received', due_at = now() where id = $1", mail_id)
    return wishes, mail_id


async def slow(step: str, _recipient: str) -> None:
    """The relay takes its time after the text."""
    if step == "TEXT":
        await asyncio.sleep(0.02)


@pytest.mark.requirement("R-6")
async def test_processes_share_the_mails_without_sending_one_twice(apart: Platform) -> None:
    async with bad_relay() as relay, sending_to(apart, relay.port) as wishes, sending_to(apart, relay.port):
        relay.wait = slow
        ids = [await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address())) for _ in range(60)]
        for mail_id in ids:
            await wishes.end(mail_id, "sent")
        assert len(relay.taken) == len(ids)


async def test_a_stop_finishes_what_is_being_sent(apart: Platform) -> None:
    async with bad_relay() as relay:
        reached = asyncio.Event()

        async def slower(step: str, _recipient: str) -> None:
            if step == "TEXT":
                reached.set()
                await asyncio.sleep(0.5)

        relay.wait = slower
        async with apart.owner("notifier") as database:
            async with sending_to(apart, relay.port) as wishes:
                mail_id = await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address()))
                await reached.wait()
            assert await database.fetchval("select state from mails where id = $1", mail_id) == "sent"
