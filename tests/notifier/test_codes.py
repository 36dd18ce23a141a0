"""A code is sent while it is good: never past its deadline, never after a newer one."""

import asyncio
from datetime import timedelta

import pytest

from contracts.notifier import MailFailed, Template
from tests.notifier.conftest import against
from tests.notifier.relays import obedient, only
from tests.notifier.wishes import Wishes, address
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.requirement("R329", "O1", "R-6")
async def test_a_superseded_code_is_not_sent(apart: Platform) -> None:
    to = address()
    async with against(apart, only(to, "RCPT", "451 later")) as (relay, wishes), apart.hears(MailFailed) as spy:
        word = unique.word("otp")
        old = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="11111111", supersedes=word)
        old_id = await wishes.say(old)
        await wishes.end(old_id, "retrying")
        new_id = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="22222222", supersedes=word))
        await eventually(lambda: _known(wishes, new_id))
        relay.decide = obedient  # not before: the old one may be tried again at any time
        await wishes.end(new_id, "sent")
        assert (await wishes.row(old_id))["state"] == "superseded"
        assert (await spy.next(mail_id=str(old_id)))["data"]["state"] == "superseded"
        await wishes.hurry(old_id)
        await wishes.end(await wishes.say(wishes.mail(NOTICE, to)), "sent")  # it would have had to wait for the old one
        codes = [one.message.get_content() for one in relay.to(to)]
        assert ["22222222" in code for code in codes] == [True, False]
        assert not any("11111111" in code for code in codes)


@pytest.mark.requirement("R-6")
@pytest.mark.parametrize("held", ["MAIL", "RCPT", "DATA"])
async def test_a_code_that_is_superseded_while_it_is_being_sent_stops_before_its_text(
    apart: Platform, held: str
) -> None:
    assert await sent_when_superseded_at(apart, held) == ["22222222"]


async def sent_when_superseded_at(apart: Platform, held: str) -> list[str]:
    """The codes that leave when a newer one is asked for while the relay has not answered a step of the older one."""
    to = address()
    reached, go_on = asyncio.Event(), asyncio.Event()
    async with against(apart) as (relay, wishes):

        async def hold(step: str, _recipient: str) -> None:
            if step == held and not go_on.is_set():
                reached.set()
                await go_on.wait()

        relay.wait = hold
        word = unique.word("otp")
        old = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="11111111", supersedes=word)
        old_id = await wishes.say(old)
        await reached.wait()
        new_id = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="22222222", supersedes=word))
        await eventually(lambda: _known(wishes, new_id))
        go_on.set()
        await wishes.end(new_id, "sent")
        await wishes.end(old_id)
        codes = ("11111111", "22222222")
        return [code for code in codes if any(code in one.message.get_content() for one in relay.to(to))]


async def _known(wishes: Wishes, mail_id: object) -> bool:
    return bool(await wishes.runtime.database.fetchval("select true from mails where id = $1", mail_id))


async def test_an_older_wish_that_arrives_late_does_not_supersede_a_newer_one(apart: Platform) -> None:
    to, word = address(), unique.word("otp")
    async with against(apart) as (relay, wishes):
        old = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="11111111", supersedes=word)
        new = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="22222222", supersedes=word)
        new_id = await wishes.say(new)
        await wishes.end(new_id, "sent")
        old_id = await wishes.say(old, time=new.not_after - timedelta(hours=2))
        assert (await wishes.end(old_id))["state"] == "superseded"
        assert len(relay.to(to)) == 1


@pytest.mark.requirement("R-6")
async def test_a_mail_past_its_deadline_is_not_sent(apart: Platform) -> None:
    to = address()
    async with against(apart, only(to, "RCPT", "451 later")) as (relay, wishes), apart.hears(MailFailed) as spy:
        mail_id = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="12345678"))
        await wishes.end(mail_id, "retrying")
        async with apart.owner("notifier") as database:
            await database.execute("update mails set not_after = now() where id = $1", mail_id)
        row = await wishes.end(mail_id)
        assert row["state"] == "expired"
        assert "451 later" in row["reason"]
        assert (await spy.next(mail_id=str(mail_id)))["data"]["state"] == "expired"
        late = await wishes.say(wishes.mail(NOTICE, address(), life=timedelta(seconds=-5)))
        assert (await wishes.end(late))["state"] == "expired"
        assert relay.taken == []
