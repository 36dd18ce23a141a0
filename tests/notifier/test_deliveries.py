"""A mail ends in exactly one way, whatever the mail server does, and nobody else waits for it."""

from typing import Any
from uuid import UUID

import pytest

from contracts.notifier import AddressFailing, MailAccepted, MailFailed, Template
from tests.notifier.conftest import against, sending_to
from tests.notifier.relays import CLOSE, TAKE_AND_CLOSE, TAKE_AND_HANG, bad_relay, only
from tests.notifier.wishes import Wishes, address
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.parametrize("told", [TAKE_AND_CLOSE, TAKE_AND_HANG])
@pytest.mark.requirement("R-6")
async def test_a_mail_of_unknown_fate_is_repeated_byte_for_byte(apart: Platform, told: str) -> None:
    to = address()
    async with against(apart, smtp_seconds=0.5) as (relay, wishes):
        relay.decide = lambda at, _: told if at == "TEXT" and len(relay.taken) < 2 else None
        mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret="Hk7mPw3xRt9vNc4d"))
        assert (await wishes.end(mail_id, "unknown"))["reason"].startswith("TEXT: ")
        await wishes.end(mail_id, "sent")
        first, second = relay.to(to)[:2]
        assert first.raw == second.raw
        assert first.message["Message-ID"] == f"<{mail_id}@nexi.go.jp>"


async def test_after_too_many_unknown_ends_a_mail_rests_for_an_operator(apart: Platform) -> None:
    to = address()
    async with against(apart, only("", "TEXT", CLOSE)) as (_relay, wishes):
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        await wishes.end(mail_id, "unknown")
        async with apart.owner("notifier") as database:
            often = "update mails set unknown_ends = 5, due_at = now() where id = $1 and state = 'unknown'"
            await eventually(lambda: database.execute(often, mail_id))  # not while it is being sent
        await eventually(lambda: _rests(wishes, mail_id))


@pytest.mark.requirement("R-6")
async def test_a_mail_that_the_relay_may_have_stays_unknown_until_its_fate_is_known(apart: Platform) -> None:
    to = address()
    async with against(apart) as (relay, wishes), apart.hears(MailFailed) as spy:
        relay.decide = lambda at, _: TAKE_AND_CLOSE if at == "TEXT" else "451 later" if relay.taken else None
        mail_id = await wishes.say(wishes.mail(NOTICE, to))

        async def refused() -> Any:
            row = await wishes.row(mail_id)
            return row if "451 later" in row["reason"] and row["state"] != "sending" else None

        await wishes.end(mail_id, "unknown")
        assert (await eventually(refused))["state"] == "unknown"
        async with apart.owner("notifier") as database:
            await database.execute("update mails set not_after = now() where id = $1", mail_id)
        await eventually(lambda: _rests(wishes, mail_id))
        after = await wishes.say(wishes.mail(NOTICE, to, facts={}))
        await wishes.end(after, "failed")
        assert (await spy.next(about_user_id=(await wishes.row(after))["about_user_id"]))["data"]["mail_id"] == str(
            after
        )
        assert spy.seen == []


@pytest.mark.requirement("R-6")
async def test_a_mail_whose_senders_die_is_repeated_as_often_as_after_any_unknown_end(apart: Platform) -> None:
    async with against(apart) as (relay, wishes), apart.owner("notifier") as database:
        kinds = [wishes.mail(NOTICE, address()) for _ in range(2)]
        often, seldom = [await wishes.say(wish) for wish in kinds]
        for mail_id, before in ((often, 5), (seldom, 4)):
            await wishes.end(mail_id, "sent")
            await database.execute(
                "update mails set state = 'sending', sender = 1, unknown_ends = $2 where id = $1", mail_id, before
            )
        await eventually(lambda: _rests(wishes, often))
        row = await wishes.end(seldom, "sent")
        assert (row["unknown_ends"], len(relay.to(row["recipient"]))) == (5, 2)


async def _rests(wishes: Wishes, mail_id: UUID) -> bool:
    row = await wishes.row(mail_id)
    return row["state"] == "unknown" and row["due_at"] is None


@pytest.mark.requirement("E2")
async def test_the_acceptance_is_told(apart: Platform) -> None:
    async with against(apart) as (relay, wishes), apart.hears(MailAccepted) as spy:
        wish = wishes.mail(NOTICE, address())
        mail_id = await wishes.say(wish)
        said = (await spy.next(mail_id=str(mail_id)))["data"]
        assert said["template"] == NOTICE
        assert (said["policyholder_code"], said["about_user_id"]) == (wish.policyholder_code, wish.about_user_id)
        assert said["accepted_at"]
        assert relay.taken


@pytest.mark.requirement("R-6")
async def test_a_wish_heard_twice_is_one_mail(apart: Platform) -> None:
    to = address()
    async with against(apart) as (relay, wishes):
        wish = wishes.mail(Template.PASSWORD_REISSUED, to, secret="Hk7mPw3xRt9vNc4d")
        mail_id = await wishes.say(wish)
        await wishes.say(wish, ids=[mail_id])
        await wishes.end(mail_id, "sent")
        after = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(after, "sent")
        assert len(relay.to(to)) == 1


async def test_mails_wait_for_a_relay_that_is_away_without_being_counted_as_tried(apart: Platform) -> None:
    to = address()
    async with bad_relay() as relay:
        port = relay.port
    async with sending_to(apart, port) as wishes:
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        row = await wishes.end(mail_id, "retrying")
        assert (row["attempts"], row["reason"]) == (0, "no connection: SMTPConnectError")
        assert row["due_at"] is not None


async def test_a_reused_connection_that_was_closed_meanwhile_costs_nothing(apart: Platform) -> None:
    async with against(apart, senders=1) as (relay, wishes):
        first = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(first, "sent")
        relay.decide = only("", "MAIL", CLOSE, times=1)
        second = await wishes.say(wishes.mail(NOTICE, address()))
        row = await wishes.end(second, "sent")
        assert (row["attempts"], relay.connections) == (1, 2)


async def test_an_address_that_the_relay_refuses_is_marked_and_unmarked(apart: Platform) -> None:
    to, code = address(), unique.policyholder_code()
    async with (
        against(apart, only(to, "RCPT", "550 5.1.1 nobody here", times=1)) as (_relay, wishes),
        apart.hears(AddressFailing) as spy,
    ):
        await wishes.address(code, to)
        await wishes.end(await wishes.say(wishes.mail(NOTICE, to)), "failed")
        assert (await spy.next(user_id=f"{code}000"))["data"]["failing"] is True
        await wishes.end(await wishes.say(wishes.mail(NOTICE, to)), "sent")
        assert (await spy.next(user_id=f"{code}000"))["data"]["failing"] is False


@pytest.mark.requirement("B-6")
async def test_a_hostile_recipient_is_set_aside_and_the_transcript_names_one_person(apart: Platform) -> None:
    async with against(apart, senders=1) as (relay, wishes):
        good = wishes.mail(NOTICE, address())
        hostile = ["a@b.jp, c@d.jp", "a@b.jp\r\nRCPT TO:<c@d.jp>", "a@b.jp>\r\nDATA", "日本@b.jp", "a@b\0.jp", ""]
        for recipient in hostile:
            await wishes.say(good.model_copy(update={"recipient": recipient}))
        mail_id = await wishes.say(good)
        await wishes.end(mail_id, "sent")
        assert relay.lines == [
            "EHLO nexi.go.jp", "MAIL FROM:<web_info@nexi.go.jp>", f"RCPT TO:<{good.recipient}>", "DATA",
        ]  # fmt: skip
        aside = await wishes.runtime.database.fetch(
            "select reason from parked where type = 'notifier.send_mail' and state = 'unreadable'"
            " order by number desc limit $1",
            len(hostile),
        )
        assert len(aside) == len(hostile)
        assert all(row["reason"].startswith("recipient: ") for row in aside)
