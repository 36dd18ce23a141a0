"""Kills of notifiers and of the mail server lose no mail, and repeat at most those that were on their way."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.notifier import SendMail, Template
from notifier.keys import KeyRing
from tests.notifier.catchers import Catcher
from tests.notifier.conftest import told
from tests.notifier.relays import Taken
from tests.notifier.wishes import Wishes, address
from tests.support.eventually import eventually
from tests.support.platform import Platform, Speaker
from tests.support.processes import Process, serving
from tests.support.scale import SIZE, scaled

SENDERS = 4
PROCESSES = 2
KILLS = scaled(4, 120)
"""Of notifiers, and as many of the mail server."""
MAILS = scaled(120, 20_000)
PER_ROUND = MAILS // (2 * KILLS)
PAUSE = 0.02  # between two wishes
pytestmark = pytest.mark.chaos


@dataclass
class Fleet:
    """Notifier processes that are started again after each kill."""

    platform: Platform
    settings: dict[str, Any]
    stack: AsyncExitStack
    processes: list[Process] = field(default_factory=list)

    async def add(self) -> None:
        """One more."""
        self.processes.append(await self.stack.enter_async_context(serving(self.platform, "notifier", **self.settings)))

    async def kill(self, chance: random.Random) -> None:
        """Any one, and start another."""
        victim = self.processes.pop(chance.randrange(len(self.processes)))
        victim.child.kill()
        await victim.child.wait()
        await self.add()


@asynccontextmanager
async def fleet(platform: Platform, port: int) -> AsyncIterator[Fleet]:
    """All processes, stopped at the end."""
    async with AsyncExitStack() as stack:
        started = Fleet(platform, told(port, platform.folder / "letters") | {"senders": SENDERS}, stack)
        for _ in range(PROCESSES):
            await started.add()
        yield started


class _Runtime:
    """Only what sealing needs of a runtime."""

    def __init__(self, ring: KeyRing) -> None:
        self.provides = {KeyRing: ring}


async def ask_for(wishes: Wishes, speaker: Speaker, count: int, first: int) -> dict[UUID, SendMail]:
    """Mails with and without a secret, one after the other."""
    asked = {}
    for number in range(first, first + count):
        template = Template.PASSWORD_REISSUED if number % 2 else Template.EMAIL_CHANGE_NOTICE
        wish = wishes.mail(template, address(), secret=f"Hk7mPw3x{number:08d}" if number % 2 else None)
        (mail_id,) = await speaker.publish(wish)
        asked[mail_id] = wish
        await asyncio.sleep(PAUSE)
    return asked


@pytest.mark.requirement("R-6")
async def test_kills_of_notifiers_and_of_the_mail_server_lose_no_mail_and_repeat_few(
    apart: Platform, tmp_path: Path
) -> None:
    chance = random.Random(20260401)
    catcher = Catcher(tmp_path / "journal")
    await catcher.start()
    wishes = Wishes(apart, _Runtime(KeyRing.of(apart.settings("notifier"))))  # type: ignore[arg-type]
    asked: dict[UUID, SendMail] = {}
    async with fleet(apart, catcher.port) as notifiers, Speaker(apart.broker("identity"), "identity") as speaker:
        for number in range(2 * KILLS):
            asking = asyncio.create_task(ask_for(wishes, speaker, PER_ROUND, number * PER_ROUND))
            await asyncio.sleep(chance.uniform(0, PER_ROUND * PAUSE))
            if number % 2:
                await catcher.kill()
                await catcher.start()
            else:
                await notifiers.kill(chance)
            asked |= await asking
        asked |= await ask_for(wishes, speaker, MAILS - len(asked), len(asked))
        await all_sent(apart, list(asked))
    await catcher.kill()
    taken = catcher.taken()
    repeated = judge(asked, taken)
    assert repeated <= KILLS * SENDERS
    assert SIZE < 1 or repeated <= len(asked) / 1000
    table(asked, repeated)


async def all_sent(platform: Platform, ids: list[UUID]) -> None:
    """Every one came to the good end."""
    async with platform.owner("notifier") as database:

        async def done() -> bool:
            query = "select count(*) from mails where state = 'sent' and id = any($1)"
            return bool(await database.fetchval(query, ids) == len(ids))

        await eventually(done, 90)


def judge(asked: dict[UUID, SendMail], taken: list[Taken]) -> int:
    """None lost, none for another, each repetition the same bytes; answers how many were repeated."""
    by_id: dict[str, list[Taken]] = defaultdict(list)
    for one in taken:
        by_id[str(one.message["Message-ID"])].append(one)
    assert set(by_id) == {f"<{mail_id}@nexi.go.jp>" for mail_id in asked}
    for mail_id, wish in asked.items():
        copies = by_id[f"<{mail_id}@nexi.go.jp>"]
        assert {copy.recipients for copy in copies} == {(wish.recipient,)}
        assert len({copy.raw for copy in copies}) == 1
        assert str(copies[0].message["To"]) == wish.recipient
        assert wish.about_user_id in copies[0].message.get_content()
    return len(taken) - len(asked)


def table(asked: dict[UUID, SendMail], repeated: int) -> None:
    """For whoever reads the output of `make chaos`."""
    print(f"\n{'mails asked for':<44}{len(asked):>8}")
    print(f"{f'kills of a notifier ({SENDERS} senders each)':<44}{KILLS:>8}")
    print(f"{'kills of the mail server':<44}{KILLS:>8}")
    print(f"{'lost':<44}{0:>8}")
    print(f"{'to a wrong recipient':<44}{0:>8}")
    print(f"{'repeated with other bytes':<44}{0:>8}")
    print(f"{'repeated, byte for byte, same Message-ID':<44}{repeated:>8}  ({repeated / len(asked):.2%})")
    print(f"{'repeated for each kill':<44}{repeated / (2 * KILLS):>8.2f}")
