"""A conversation cut at any byte loses nothing; a mail is repeated only when its last answer was cut off (R-2)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chassis.amqp import connection
from chassis.amqp.connection import persist
from chassis.amqp.consumer import Consumer
from chassis.amqp.relay import Relay
from chassis.messages import new_id
from chassis.sql import DATABASE_AWAY, Database
from notifier.sending.relay import Delivery, NoConnection, Parcel
from notifier.sending.relay import Relay as MailRelay
from notifier.sending.wire import build
from notifier.settings import Settings
from notifier.store.deliveries import End
from tests.faults import victim
from tests.faults.wires import overheard, proxy_of, quiet, through
from tests.notifier.relays import bad_relay
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.proxy import Proxy, Towards
from tests.support.scale import scaled

STRIDE = scaled(61, 1)
SMTP_STRIDE = scaled(23, 1)
pytestmark = [pytest.mark.chaos, pytest.mark.requirement("R-2")]
Tell = Callable[[str, object], None]


@pytest.fixture
async def database(house: Platform) -> AsyncIterator[Database]:
    """The victim's database, not behind anything."""
    database = await Database.connect(house.database("victim"), source="victim", size=4)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def at_work(database: Database, relaying: str, hearing: str, dsn: str) -> AsyncIterator[Consumer]:
    """The victim's relay and its listener, each with the broker at a URL of its own."""
    relay = Relay(database, dsn, {"": relaying})
    consumer = Consumer("victim", victim.singly, database, {})
    tasks = [
        asyncio.create_task(relay.run()),
        asyncio.create_task(persist("hearing", lambda: consumer.consume(hearing))),
    ]
    try:
        yield consumer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def say(database: Database, word: str) -> None:
    """A word leaves; comes back when it was heard and is forgotten by the outbox."""
    async with database.transaction() as tx:
        await tx.execute("insert into said (word) values ($1)", word)
        tx.emit(victim.Noted(word=word))

    async def arrived() -> bool:
        waits = "select exists (select from outbox) or not exists (select from heard where word = $1)"
        return not await database.fetchval(waits, word)

    await eventually(arrived, 30)


async def every_word_once(database: Database, words: list[str]) -> None:
    """Heard, and only once."""
    rows = await database.fetch("select word, count(*) as times from heard where word = any($1) group by word", words)
    assert {row["word"]: row["times"] for row in rows} == dict.fromkeys(words, 1)


async def cut_everywhere(proxy: Proxy, talk: Callable[[], Awaitable[object]]) -> int:
    """Let `talk` happen whole once, then cut it at every place; answers how many cuts there were."""
    cuts = 0
    for towards, place in (await overheard(proxy, talk)).cuts(STRIDE):
        await quiet(proxy)
        proxy.cut_after(place, towards)
        await talk()
        cuts += not proxy.armed
        proxy.disarm()
    return cuts


@pytest.mark.parametrize("hop", ["publish and confirm", "deliver and acknowledge"])
async def test_a_message_arrives_once_wherever_its_way_is_cut(
    house: Platform, database: Database, hop: str, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    monkeypatch.setattr(connection, "LONGEST_PAUSE_SECONDS", 0.02)
    words: list[str] = []
    url = house.broker("victim")

    async def talk() -> None:
        words.append(unique.word("cut"))
        await say(database, words[-1])

    async with proxy_of(url).serving() as proxy:
        cut = through(proxy, url)
        relaying, hearing = (cut, url) if hop == "publish and confirm" else (url, cut)
        async with at_work(database, relaying, hearing, house.database("victim")):
            await talk()
            cuts = await cut_everywhere(proxy, talk)
            await talk()
            await every_word_once(database, words)
    record_property("found", f"{hop}: {cuts} cuts, {len(words)} words, lost 0, doubled 0")


async def test_a_transaction_is_whole_or_not_at_all_wherever_it_is_cut(
    house: Platform, database: Database, record_property: Tell
) -> None:
    url = house.database("victim")
    known = {"ok": 0, "unknown": 0}
    async with proxy_of(url).serving() as proxy:
        behind: list[Database] = []

        async def connect() -> None:
            if behind:
                await behind.pop().close()
            behind.append(await Database.connect(through(proxy, url), source="victim", size=1))
            await talk()  # so that the statements are prepared, and what is cut is the transaction alone

        async def talk() -> None:
            word, outcome = unique.word("tx"), "ok"
            try:
                async with behind[0].transaction() as tx:
                    await tx.execute("insert into said (word) values ($1)", word)
                    tx.emit(victim.Noted(word=word))
            except DATABASE_AWAY:
                outcome = "unknown"
            said = await database.fetchval("select exists (select from said where word = $1)", word)
            told = await database.fetchval("select exists (select from outbox where data like '%' || $1 || '%')", word)
            assert said == told
            assert said or outcome == "unknown"
            known[outcome] += 1

        await connect()
        for towards, place in (await overheard(proxy, talk)).cuts(STRIDE):
            await connect()
            proxy.cut_after(place, towards)
            await talk()
            proxy.disarm()
        await behind.pop().close()
    await database.execute("delete from outbox")
    assert known["unknown"]
    record_property("found", f"transactions: {known}, lost 0, torn 0")


async def test_a_mail_is_repeated_only_when_its_last_answer_was_cut_off(record_property: Tell) -> None:
    async with bad_relay() as server, Proxy("127.0.0.1", server.port).serving() as proxy:
        settings = Settings(
            smtp_port=proxy.port, smtp_security="none", smtp_seconds=5, database_url="", broker_url="",
            partner_broker_url="", identity_keys_url="",
        )  # fmt: skip

        async def attempt(to: str, message: bytes) -> Delivery | None:
            relay = MailRelay(settings)
            try:
                return await relay.deliver(Parcel(to, message, nothing_more))
            except NoConnection:
                return None
            finally:
                await relay.close()

        async def talk() -> tuple[int, Delivery | None]:
            to = f"{unique.word()}@sample.com"
            message = build(
                mail_id=new_id(), resent=0, sender="web@sample.com", recipient=to, subject="件名", body="本文" * 50,
                date=unique.now(),
            )  # fmt: skip
            first = last = await attempt(to, message)
            while last is None or last.end is not End.SENT:
                last = await attempt(to, message)
            assert {taken.raw for taken in server.to(to)} == {message}
            return len(server.to(to)), first

        whole = await overheard(proxy, talk)
        answer, farewell = len("250 kept\r\n"), len("221 bye\r\n")
        last_answer: tuple[Towards, int] = ("client", whole.client - farewell - 1)
        twice = 0
        for towards, place in [*whole.cuts(SMTP_STRIDE), last_answer]:
            proxy.cut_after(place, towards)
            times, first = await talk()
            proxy.disarm()
            if times == 2:
                assert towards == "client"
                assert whole.client - farewell - answer <= place < whole.client - farewell
                assert first is not None
                assert first.end is End.UNKNOWN
                twice += 1
            assert times <= 2
    assert twice
    record_property("found", f"mails: {len(list(whole.cuts(SMTP_STRIDE)))} cuts, lost 0, repeated {twice}")


async def nothing_more() -> None:
    """There is nothing that stops the mail at the last moment."""
