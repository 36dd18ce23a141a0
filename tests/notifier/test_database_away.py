"""What PostgreSQL did and nobody heard of, and what it did not do: no mail is stuck, lost or sent twice for that."""

from typing import Any

import asyncpg
import pytest

from contracts.notifier import Template
from notifier.store import deliveries
from notifier.store.deliveries import Claimed
from tests.notifier.conftest import against
from tests.notifier.wishes import address
from tests.support import unique
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
