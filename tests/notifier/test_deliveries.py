"""A mail ends in exactly one way, whatever the mail server does, and nobody else waits for it."""

import asyncio
from datetime import timedelta

import pytest

from contracts.notifier import AddressFailing, MailAccepted, MailFailed, Template
from tests.notifier.conftest import against, sending_to
from tests.notifier.relays import CLOSE, HANG, TAKE_AND_CLOSE, TAKE_AND_HANG, BadRelay, bad_relay, only
from tests.notifier.wishes import Wishes, address
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.parametrize("step", ["RCPT", "DATA", "TEXT"])
@pytest.mark.requirement("B-6", "R-6")
async def test_a_refusal_for_good_fails_at_once_and_says_so(apart: Platform, step: str) -> None:
    to = address()
    async with (
        against(apart, only(to, step, "550 5.1.1 nobody here")) as (relay, wishes),
        apart.hears(MailFailed) as spy,
    ):
        mail_id = await wishes.say(wishes.mail(NOTICE, to))
        row = await wishes.end(mail_id)
        assert (row["state"], row["attempts"]) == ("failed", 1)
        assert row["reason"] == f"{step}: 550 5.1.1 nobody here"
        said = await spy.next(mail_id=str(mail_id))
        assert said["data"]["state"] == "failed"
        assert relay.to(to) == []


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "TEXT"])
@pytest.mark.requirement("B-7", "R-6")
async def test_a_refusal_for_now_is_tried_again_until_it_is_sent_once(apart: Platform, step: str) -> None:
    async with against(apart, senders=1) as (relay, wishes):
        for told in ("451 later", "421 going down", CLOSE):
            to, trouble = address(), Trouble(step, told)
            relay.decide = trouble
            mail_id = await wishes.say(wishes.mail(NOTICE, to))
            await trouble.met.wait()
            waits = await wishes.end(mail_id, "retrying", "unknown")
            assert waits["due_at"] is not None, told
            assert waits["reason"], told
            trouble.over = True
            await wishes.end(mail_id, "sent")
            assert len(relay.to(to)) == 1, told


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
            await database.execute(
                "update mails set unknown_ends = 5, due_at = now() where id = $1 and state = 'unknown'", mail_id
            )

        async def rests() -> bool:
            row = await wishes.row(mail_id)
            return row["state"] == "unknown" and row["due_at"] is None

        await eventually(rests)


@pytest.mark.requirement("R-6", "B-6")
async def test_recipients_that_hang_hold_up_nobody(apart: Platform) -> None:
    slow = address()
    async with against(
        apart, lambda at, whom: HANG if at == "RCPT" and whom.startswith("slow") else None, senders=4, smtp_seconds=3
    ) as (relay, wishes):
        for _ in range(5):
            await wishes.say(wishes.mail(NOTICE, f"slow{slow}"))
        await wishes.say(wishes.mail(NOTICE, f"slow-too{slow}"))
        await eventually(lambda: _commands(relay, "RCPT TO:<slow", 2))
        for _ in range(3):
            good = await wishes.say(wishes.mail(NOTICE, address()))
            row = await wishes.end(good, "sent")
            assert (row["accepted_at"] - row["received_at"]) < timedelta(seconds=2)
        sending = await wishes.runtime.database.fetchval("select count(*) from mails where state = 'sending'")
        assert sending <= 2  # one for each hanging recipient, however many mails it has


async def _commands(relay: BadRelay, start: str, least: int) -> bool:
    return sum(line.startswith(start) for line in relay.lines) >= least


async def test_mails_tried_before_never_occupy_every_sender(apart: Platform) -> None:
    async with (
        against(
            apart,
            lambda at, whom: HANG if at == "RCPT" and whom.startswith("slow") else None,
            senders=4,
            smtp_seconds=20,
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
        await wishes.end(good, "sent", timeout=5)
        assert not await _commands(relay, "RCPT TO:<slow", 3)


@pytest.mark.requirement("R329", "O1", "R-6")
async def test_a_superseded_code_is_not_sent(apart: Platform) -> None:
    to = address()
    async with (
        against(apart, only(to, "RCPT", "451 later", times=1)) as (relay, wishes),
        apart.hears(MailFailed) as spy,
    ):
        word = unique.word("otp")
        old = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="11111111", supersedes=word)
        old_id = await wishes.say(old)
        await wishes.end(old_id, "retrying")
        new_id = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="22222222", supersedes=word))
        await wishes.end(new_id, "sent")
        assert (await wishes.row(old_id))["state"] == "superseded"
        assert (await spy.next(mail_id=str(old_id)))["data"]["state"] == "superseded"
        await asyncio.sleep(2.5)  # beyond the pause after the 451
        assert ["22222222" in one.message.get_content() for one in relay.to(to)] == [True]


async def test_a_code_that_is_superseded_while_it_is_being_sent_stops_before_its_text(apart: Platform) -> None:
    to = address()
    reached, go_on = asyncio.Event(), asyncio.Event()
    async with against(apart) as (relay, wishes):
        reply = relay._reply

        async def slow(writer: asyncio.StreamWriter, step: str, recipient: str) -> bool:
            if step == "RCPT" and not go_on.is_set():
                reached.set()
                await go_on.wait()
            return await reply(writer, step, recipient)

        relay._reply = slow  # type: ignore[method-assign]
        word = unique.word("otp")
        old = wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="11111111", supersedes=word)
        old_id = await wishes.say(old)
        await reached.wait()
        new_id = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="22222222", supersedes=word))
        await eventually(lambda: _known(wishes, new_id))
        go_on.set()
        await wishes.end(new_id, "sent")
        assert (await wishes.end(old_id))["state"] == "superseded"
        assert ["22222222" in one.message.get_content() for one in relay.to(to)] == [True]


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
        mail_id = await wishes.say(
            wishes.mail(Template.ONE_TIME_PASSWORD, to, secret="12345678", life=timedelta(seconds=1.5))
        )
        row = await wishes.end(mail_id)
        assert row["state"] == "expired"
        assert "451 later" in row["reason"]
        assert (await spy.next(mail_id=str(mail_id)))["data"]["state"] == "expired"
        late = await wishes.say(wishes.mail(NOTICE, address(), life=timedelta(seconds=-5)))
        assert (await wishes.end(late))["state"] == "expired"
        assert relay.taken == []


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


@pytest.mark.requirement("R-6")
async def test_a_sender_sends_no_text_before_the_end_of_its_last_mail_is_written_down(apart: Platform) -> None:
    async with against(apart, senders=1) as (relay, wishes), apart.owner("notifier") as database:
        reply = relay._reply
        held, written = asyncio.Event(), asyncio.Event()
        first = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(first, "sent")

        async def hold() -> None:
            async with database.transaction() as tx:
                await tx.fetch("select from mails where state = 'sending' for update")
                held.set()
                await written.wait()

        holding: list[asyncio.Task[None]] = []

        async def slow(writer: asyncio.StreamWriter, step: str, recipient: str) -> bool:
            if step == "TEXT" and not holding:
                holding.append(asyncio.create_task(hold()))
                await held.wait()
            return await reply(writer, step, recipient)

        relay._reply = slow  # type: ignore[method-assign]
        before = len(relay.lines)
        ids = [await wishes.say(wishes.mail(NOTICE, address())) for _ in range(2)]
        await eventually(lambda: _commands(relay, "RCPT", 3))
        await asyncio.sleep(0.3)
        assert [line.split()[0] for line in relay.lines[before:]].count("DATA") == 1
        written.set()
        for mail_id in ids:
            await wishes.end(mail_id, "sent")
        await asyncio.gather(*holding)
