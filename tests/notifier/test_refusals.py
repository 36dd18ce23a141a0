"""What a mail server may refuse, permanently or transiently, at each step: a mail ends as it deserves, at most once."""

import asyncio

import pytest

from contracts.notifier import MailFailed, Template
from tests.notifier.conftest import against
from tests.notifier.relays import CLOSE, HANG, only
from tests.notifier.wishes import address
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.parametrize("pipelining", [True, False], ids=["together", "one by one"])
@pytest.mark.parametrize("step", ["RCPT", "DATA", "TEXT"])
@pytest.mark.requirement("B-7", "R-6")
async def test_a_refusal_for_good_fails_at_once_and_says_so(apart: Platform, step: str, pipelining: bool) -> None:
    to = address()
    decide = only(to, step, "550 5.1.1 nobody here")
    async with (
        against(apart, decide, pipelining=pipelining, senders=1) as (relay, wishes),
        apart.hears(MailFailed) as spy,
    ):
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        row = await wishes.end(mail_id)
        assert (row["state"], row["attempts"]) == ("failed", 1)
        assert row["reason"] == f"{step}: 550 5.1.1 nobody here"
        said = await spy.next(mail_id=str(mail_id))
        assert said["data"]["state"] == "failed"
        assert relay.to(to) == []
        await wishes.end(await wishes.say(wishes.mail(NOTICE, address())), "sent")
        assert (len(relay.taken), relay.connections) == (1, 1)


TOGETHER = [(step, True) for step in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "TEXT")]
ONE_BY_ONE = [(step, False) for step in ("MAIL", "RCPT", "DATA", "TEXT")]


@pytest.mark.parametrize(("step", "pipelining"), TOGETHER + ONE_BY_ONE)
@pytest.mark.requirement("B-7", "R-6")
async def test_a_refusal_for_now_is_tried_again_until_it_is_sent_once(
    apart: Platform, step: str, pipelining: bool
) -> None:
    async with against(apart, senders=1, pipelining=pipelining) as (relay, wishes):
        for told in ("451 later", "421 going down", CLOSE, "hello"):
            to, trouble = address(), Trouble(step, told)
            relay.decide = trouble
            mail_id = await wishes.say(wishes.mail(NOTICE, to))
            await trouble.met.wait()
            waits = await wishes.end(mail_id, "retrying", "unknown")
            assert waits["due_at"] is not None, told
            assert waits["reason"], told
            trouble.over = True
            await wishes.hurry(mail_id)
            await wishes.end(mail_id, "sent")
            assert len(relay.to(to)) == 1, told


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL"])
@pytest.mark.requirement("B-7", "R-6")
async def test_a_relay_that_refuses_us_for_good_makes_no_mail_fail(apart: Platform, step: str) -> None:
    to, trouble = address(), Trouble(step, "554 5.7.1 go away")
    async with against(apart, trouble) as (relay, wishes):
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        assert "554 5.7.1 go away" in (await wishes.end(mail_id, "retrying", "failed"))["reason"]
        trouble.over = True
        await wishes.hurry(mail_id)
        await wishes.end(mail_id, "sent")
        assert len(relay.to(to)) == 1


@pytest.mark.requirement("B-7")
async def test_a_relay_that_falls_silent_after_its_250_has_each_mail_once(apart: Platform) -> None:
    first, second = address(), address()
    async with against(apart, senders=1, smtp_seconds=0.5) as (relay, wishes):
        relay.decide = lambda at, _: HANG if relay.taken and relay.connections == 1 and at != "TEXT" else None
        await wishes.end(await wishes.say(wishes.mail(NOTICE, first)), "sent")
        await wishes.end(await wishes.say(wishes.mail(NOTICE, second)), "sent")
        assert (len(relay.to(first)), len(relay.to(second)), relay.connections) == (1, 1, 2)


@pytest.mark.requirement("B-7")
async def test_a_relay_that_wants_a_text_for_nobody_does_not_get_it(apart: Platform) -> None:
    to = address()

    def careless(at: str, whom: str) -> str | None:
        return {"RCPT": "550 5.1.1 nobody here", "DATA": "354 go on"}.get(at) if whom == to else None

    async with against(apart, careless, senders=1) as (relay, wishes):
        assert (await wishes.end(await wishes.say(wishes.mail(NOTICE, to))))["state"] == "failed"
        await wishes.end(await wishes.say(wishes.mail(NOTICE, address())), "sent")
        assert [one.recipients for one in relay.taken if to in one.raw.decode()] == []
        assert len(relay.taken) == 1


@pytest.mark.requirement("B-7")
async def test_what_a_relay_says_unasked_is_kept_in_words_that_a_database_can_hold(apart: Platform) -> None:
    """Whatever it says: an end that cannot be written down would hold up all others."""
    to, trouble = address(), Trouble("DATA", "354 go on\r\n421 4.3.2 closing\0down\x1b[2J")
    async with against(apart, trouble, senders=1) as (_, wishes):
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        assert (await wishes.end(mail_id, "retrying"))["reason"] == "DATA: reply: 421 4.3.2 closing down [2J"
        trouble.over = True
        await wishes.hurry(mail_id)
        await wishes.end(mail_id, "sent")


class Trouble:
    """`told` at one step, until it is `over`."""

    def __init__(self, step: str, told: str) -> None:
        self._step, self._told = step, told
        self.met, self.over = asyncio.Event(), False

    def __call__(self, at: str, _recipient: str) -> str | None:
        if self.over:
            return None
        if at == self._step:
            self.met.set()
            return self._told
        # Whoever is connected already has to connect anew.
        return CLOSE if at == "MAIL" and self._step in ("CONNECT", "EHLO") else None
