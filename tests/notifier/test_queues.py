"""Nobody waits for a mail server that is slow with somebody else, and no text goes out too early."""

import asyncio
from datetime import timedelta

import pytest

from contracts.notifier import Template
from tests.notifier.conftest import against
from tests.notifier.relays import HANG, BadRelay
from tests.notifier.wishes import address
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.requirement("R-6", "B-6")
async def test_recipients_that_hang_hold_up_nobody(apart: Platform) -> None:
    slow = address()
    async with against(
        apart, lambda at, whom: HANG if at == "RCPT" and whom.startswith("slow") else None, senders=4
    ) as (relay, wishes):
        for _ in range(5):
            await wishes.say(wishes.mail(NOTICE, f"slow{slow}"))
        await wishes.say(wishes.mail(NOTICE, f"slow-too{slow}"))
        await eventually(lambda: _commands(relay, "RCPT TO:<slow", 2))
        for _ in range(3):
            good = await wishes.say(wishes.mail(NOTICE, address()))
            await wishes.end(good, "sent")  # long before the relay must answer those that hang
        ours = "select recipient from mails where state = 'sending' and recipient like '%' || $1"
        sending = [row["recipient"] for row in await wishes.runtime.database.fetch(ours, slow)]
        assert len(sending) == len(set(sending)), "one for each hanging recipient, however many mails it has"


async def _commands(relay: BadRelay, start: str, least: int) -> bool:
    return sum(line.startswith(start) for line in relay.lines) >= least


async def test_mails_tried_before_never_occupy_every_sender(apart: Platform) -> None:
    async with (
        against(
            apart,
            lambda at, whom: HANG if at == "RCPT" and whom.startswith("slow") else None,
            senders=4,
        ) as (relay, wishes),
        apart.owner("notifier") as database,
    ):
        for _ in range(8):
            mail_id = await wishes.say(wishes.mail(NOTICE, f"good{address()}", life=timedelta(minutes=5)))
            await wishes.end(mail_id, "sent")
            await database.execute(
                "update mails set state = 'retrying', attempts = 3, due_at = now(),"
                " recipient = 'slow' || id || '@a.jp' where id = $1",
                mail_id,
            )
        await eventually(lambda: _commands(relay, "RCPT TO:<slow", 2))
        good = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(good, "sent")
        assert not await _commands(relay, "RCPT TO:<slow", 3)


@pytest.mark.requirement("R-6")
async def test_a_sender_sends_no_text_before_the_end_of_its_last_mail_is_written_down(apart: Platform) -> None:
    assert await texts_beside_an_unwritten_end(apart) == 1


async def texts_beside_an_unwritten_end(apart: Platform) -> int:
    """How many texts one sender has handed over while the end of none of them can be written down."""
    async with against(apart, senders=1) as (relay, wishes), apart.owner("notifier") as database:
        held, written = asyncio.Event(), asyncio.Event()
        first = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(first, "sent")

        async def hold() -> None:
            async with database.transaction() as tx:
                await tx.fetch("select from mails where state = 'sending' for update")
                held.set()
                await written.wait()

        holding: list[asyncio.Task[None]] = []

        async def slow(step: str, _recipient: str) -> None:
            if step == "TEXT" and not holding:
                holding.append(asyncio.create_task(hold()))
                await held.wait()

        relay.wait = slow
        ids = [await wishes.say(wishes.mail(NOTICE, address())) for _ in range(2)]
        await eventually(lambda: _commands(relay, "RCPT", 3))
        await asyncio.sleep(0.3)
        texts = len(relay.taken) - 1
        written.set()
        for mail_id in ids:
            await wishes.end(mail_id, "sent")
        await asyncio.gather(*holding)
        return texts
