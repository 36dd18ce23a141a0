"""What PostgreSQL did and nobody heard of, and what it did not do: no mail is stuck, lost or sent twice for that."""

import asyncio
from typing import Any

import asyncpg
import pytest

from chassis.sql import Busy, Database
from contracts.notifier import Template
from notifier.store import deliveries
from notifier.store.deliveries import Claimed
from tests.notifier.conftest import against
from tests.notifier.wishes import address
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.requirement("R-6")
async def test_mails_of_a_claim_whose_answer_was_lost_are_sent_and_so_are_the_next_to_their_recipient(
    apart: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, lost = deliveries.claim, list[Claimed]()

    async def cut(*given: Any) -> list[Claimed]:
        mails = await claim(*given)
        if mails and not lost:
            lost.extend(mails)
            raise TimeoutError
        return mails

    to = address()
    async with against(apart) as (relay, wishes):
        monkeypatch.setattr(deliveries, "claim", cut)
        ids = [await wishes.say(wishes.mail(NOTICE, to)) for _ in range(2)]
        for mail_id in ids:
            assert (await wishes.end(mail_id, "sent"))["attempts"] == 1
        assert lost
        assert len(relay.to(to)) == 2


@pytest.mark.requirement("R-6")
@pytest.mark.parametrize("error", [ConnectionRefusedError, asyncpg.AdminShutdownError])
async def test_a_code_waits_when_the_database_is_away_at_the_last_word(
    apart: Platform, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    still_wanted, refused = deliveries.still_wanted, list[object]()

    async def away(*given: Any) -> bool:
        if not refused:
            refused.append(given)
            raise error
        return await still_wanted(*given)

    async with against(apart) as (relay, wishes):
        monkeypatch.setattr(deliveries, "still_wanted", away)
        wish = wishes.mail(Template.ONE_TIME_PASSWORD, address(), secret="11111111", supersedes=unique.word("otp"))
        assert (await wishes.end(await wishes.say(wish), "sent"))["attempts"] == 2
        assert len(relay.to(wish.recipient)) == 1
        await wishes.end(await wishes.say(wishes.mail(NOTICE, address())), "sent")


@pytest.mark.requirement("R-6")
async def test_trouble_while_taking_over_does_not_cost_the_own_lock(
    apart: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = list[object]()

    async def busy(*given: Any) -> list[Any]:
        troubles.append(given)
        raise Busy

    async with against(apart) as (_relay, wishes), apart.owner("notifier") as database:
        mail_id = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(mail_id, "sent")
        monkeypatch.setattr(deliveries, "recover", busy)
        before = await database.fetch(LOCKS)
        await database.execute("update mails set state = 'sending', sender = 1 where id = $1", mail_id)
        await eventually(lambda: _at_least(troubles, 2))
        assert await database.fetch(LOCKS) == before != []


LOCKS = "select pid from pg_stat_activity where application_name = 'notifier senders' and datname = current_database()"


async def _other_locks(database: Database, than: list[Any]) -> bool:
    return await database.fetch(LOCKS) not in ([], than)


async def _at_least(things: list[object], number: int) -> bool:
    return len(things) >= number


@pytest.mark.requirement("R-6")
async def test_what_was_claimed_under_a_lost_lock_is_not_sent(apart: Platform) -> None:
    at_recipient, go_on = asyncio.Event(), asyncio.Event()

    async def slow(step: str, _recipient: str) -> None:
        if step == "DATA" and not at_recipient.is_set():
            at_recipient.set()
            await go_on.wait()

    async with against(apart, senders=1) as (relay, wishes), apart.owner("notifier") as database:
        relay.wait = slow
        mail_id = await wishes.say(wishes.mail(NOTICE, address()))
        await at_recipient.wait()
        waiting = await wishes.say(wishes.mail(NOTICE, address()))
        await wishes.end(waiting, "sending")
        lost = await database.fetch(LOCKS)
        # What another process does that finds the lock free.
        await database.execute(
            "update mails set state = 'unknown', sender = null, due_at = now() + interval '1 hour'"
            " where id = any($1) and state = 'sending'",
            [mail_id, waiting],
        )
        await wishes.runtime.database.execute(f"select pg_terminate_backend(pid) from ({LOCKS}) as lost")
        await eventually(lambda: _other_locks(database, lost))
        after = await wishes.say(wishes.mail(NOTICE, address()))
        go_on.set()
        await wishes.end(after, "sent")
        assert [taken.message["Message-ID"] for taken in relay.taken] == [f"<{after}@nexi.go.jp>"]
