"""What is no longer needed is forgotten: lapsed secrets within hours, mails and letters that ended long ago."""

from uuid import uuid4

import pytest

from contracts.notifier import Template
from tests.notifier.wishes import Wishes, address
from tests.support.eventually import eventually

PASSWORD = "Zq8vXk2mWp5tRn7c"
LETTERS = """
insert into letters (id, policyholder_code, about_user_id, company, state, received_at)
values ($1, '100000001', '100000001000', '見本貿易株式会社', $2, now() - interval '401 days')
"""


@pytest.mark.requirement("S-1")
async def test_a_sealed_secret_is_forgotten_after_its_deadline(wishes: Wishes) -> None:
    mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, address(), secret=PASSWORD))
    await wishes.end(mail_id, "sent")
    async with wishes.platform.owner("notifier") as database:
        await database.execute("update mails set not_after = now() - interval '2 hours' where id = $1", mail_id)

    async def forgotten() -> bool:
        return (await wishes.row(mail_id))["secret"] is None

    await eventually(forgotten, 20)


async def test_mails_and_letters_that_ended_long_ago_are_forgotten_and_open_ones_are_not(wishes: Wishes) -> None:
    old, waiting, new = [await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address())) for _ in range(3)]
    for mail_id in (old, waiting, new):
        await wishes.end(mail_id, "sent")
    posted, printed = uuid4(), uuid4()
    async with wishes.platform.owner("notifier") as database:
        await database.execute(
            "update mails set state = 'retrying', due_at = now() + interval '1 hour' where id = $1", waiting
        )
        await database.execute(
            "update mails set received_at = now() - interval '401 days' where id = any($1)", [old, waiting]
        )
        await database.execute(LETTERS, posted, "posted")
        await database.execute(LETTERS, printed, "printed")

        async def forgotten() -> bool:
            known = await database.fetch("select id from mails union all select id from letters")
            return {old, posted}.isdisjoint(row["id"] for row in known)

        await eventually(forgotten, 20)
        assert await database.fetchval("select true from letters where id = $1", printed)
        assert await wishes.row(waiting)
        assert await wishes.row(new)
        await database.execute("delete from mails where id = $1", waiting)
