"""The senders: take a mail, open its secret, write it, hand it to the relay, say how it ended."""

import asyncio
import random
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain, repeat

import asyncpg
import structlog
from prometheus_client import Histogram

from chassis.amqp.connection import persist
from chassis.seals import Sealed
from chassis.sql import DATABASE_AWAY, Database
from notifier.keys import KeyRing, NotOpened
from notifier.mails.catalogue import CATALOGUE, CODES, Broken, checked, render
from notifier.rules.deadlines import UNKNOWN_PAUSE, pause
from notifier.sending.desk import Desk
from notifier.sending.records import ENDED, say_failure
from notifier.sending.relay import Delivery, NoConnection, Parcel, Relay
from notifier.sending.wire import UnsafeAddress, build
from notifier.settings import Settings
from notifier.store import deliveries
from notifier.store.deliveries import Claimed, End, Ended

log = structlog.get_logger()

STOP_SECONDS = 3.0
RECOVER_SECONDS = 2.0
LAPSE_SECONDS = 1.0
GRACE_SECONDS = 5.0
LONGEST_REST_SECONDS = 5.0

REPEATS = {name: mail.repeats for name, mail in CATALOGUE.items()}
SMTP_SECONDS = Histogram("mail_smtp_seconds", "Time of the talk with the relay about one mail")


async def send_mails(settings: Settings, database: Database, ring: KeyRing) -> None:
    """Send until cancelled; then finish what is being sent, for a few seconds, and write it down."""
    sender = secrets.randbits(62)
    desk = Desk(database, sender, settings.senders)
    graces = chain([0.0], repeat(GRACE_SECONDS))

    async def live() -> None:
        await _live(settings.database_url, database, desk, sender, next(graces))

    others = [
        asyncio.create_task(desk.fetch()),
        asyncio.create_task(desk.write_down()),
        asyncio.create_task(persist("senders", live)),
        asyncio.create_task(persist("lapsing", lambda: _lapse(database))),
    ]
    # Half of the senders take only what was not tried before: mails to slow servers never occupy everybody.
    workers = [
        asyncio.create_task(Sender(settings, database, ring, desk, fresh_only=number % 2 == 1).run())
        for number in range(settings.senders)
    ]
    try:
        ended, _ = await asyncio.wait([*others, *workers], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await _finish(desk, workers)
        for task in [*workers, *others]:
            task.cancel()
        await asyncio.wait([*workers, *others], timeout=1)


async def _finish(desk: Desk, workers: list[asyncio.Task[None]]) -> None:
    """What is being sent is finished and written down, if it does not take long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await desk.close()
            await asyncio.wait(workers)
            await desk.close()


class Sender:
    """One of the pool, with a connection of its own."""

    def __init__(self, settings: Settings, database: Database, ring: KeyRing, desk: Desk, *, fresh_only: bool) -> None:
        self._settings = settings
        self._database = database
        self._ring = ring
        self._desk = desk
        self._fresh_only = fresh_only
        self._relay = Relay(settings)
        self._rest = 0.0
        self._written: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Until the desk closes."""
        try:
            while True:
                mail = await self._desk.take(fresh_only=self._fresh_only)
                ended = await self.send(mail)
                self._written = self._desk.hand_in(ended)
                if ended.end is End.RELEASED:
                    self._rest = min(LONGEST_REST_SECONDS, 2 * self._rest + 0.2)
                    await asyncio.sleep(self._rest * random.uniform(0.5, 1))  # noqa: S311 - jitter
                else:
                    self._rest = 0.0
        finally:
            await self._relay.close()

    async def send(self, mail: Claimed) -> Ended:
        """One attempt. Nothing that a mail contains can break the sender."""
        if datetime.now(UTC) >= mail.not_after:
            return Ended(mail.id, End.EXPIRED, "the deadline has passed")
        try:
            message = self._message(mail)
        except (Broken, NotOpened, UnsafeAddress) as reason:
            return Ended(mail.id, End.FAILED, str(reason))
        except Exception as error:
            log.error("template_broken", template=mail.template, mail=str(mail.id), error=type(error).__name__)
            return Ended(mail.id, End.FAILED, f"template: {type(error).__name__}")
        with SMTP_SECONDS.time():
            try:
                delivery = await self._relay.deliver(Parcel(mail.recipient, message, lambda: self._last_word(mail)))
            except NoConnection as reason:
                log.warning("relay_away", reason=str(reason))
                return Ended(mail.id, End.RELEASED, f"no connection: {reason}", pause(1, 0, short_lived=True))
        return _ended(mail, delivery)

    def _message(self, mail: Claimed) -> bytes:
        secret = None
        if mail.secret is not None:
            secret = self._ring.open(Sealed(**mail.secret), mail.secret_place or (), datetime.now(UTC))
        text = render(mail.template, checked(mail.template, mail.facts), secret, mail.not_after - mail.asked_at)
        return build(
            mail_id=mail.id, resent=mail.resent, sender=self._settings.sender, recipient=mail.recipient,
            subject=text.subject, body=text.body, date=mail.asked_at,
        )  # fmt: skip

    async def _last_word(self, mail: Claimed) -> Delivery | None:
        """Right before the text: the end of our last mail is written down, and this one is still ours and wanted."""
        if self._written is not None:
            await self._written
        if datetime.now(UTC) >= mail.not_after:
            return Delivery(End.EXPIRED, "the deadline has passed")
        if self._desk.doubts(mail.id):
            return Delivery(End.RETRYING, "DATA: another process may have taken over")
        if mail.supersedes is None:
            return None
        try:
            wanted = await deliveries.still_wanted(self._database, mail.id, self._desk.sender)
        except (*DATABASE_AWAY, asyncpg.PostgresError):
            return Delivery(End.RETRYING, "DATA: the database is away")
        return None if wanted else Delivery(End.SUPERSEDED, "a newer one was asked for")


def _ended(mail: Claimed, delivery: Delivery) -> Ended:
    again = None
    if delivery.end is End.RETRYING:
        short_lived = CATALOGUE[mail.template].urgency == CODES
        again = pause(mail.attempts, random.random(), short_lived=short_lived)  # noqa: S311 - jitter
    elif delivery.end is End.UNKNOWN and mail.unknown_ends < REPEATS[mail.template]:
        again = UNKNOWN_PAUSE
    return Ended(mail.id, delivery.end, delivery.reason, again, delivery.refused_address)


async def _live(dsn: str, database: Database, desk: Desk, sender: int, grace: float) -> None:
    """Hold this process' lock, hear of new mails, and take over from processes that died.

    `grace`: seconds before the first take-over. After a broken connection the others may be about to come back too.
    """
    connection = await deliveries.connect_for_life(dsn)
    try:
        connection.add_termination_listener(lambda *_: desk.shut())
        await deliveries.hold(connection, sender)
        await connection.add_listener("mails", lambda *_: desk.wake())
        desk.open.set()
        desk.wake()
        await asyncio.sleep(grace)
        while True:
            # Over the connection with the lock: only its loss ends this, no trouble of another connection.
            for other in await deliveries.senders(connection):
                if other != sender:
                    await _take_over(database, other)
            desk.wake()
            await asyncio.sleep(RECOVER_SECONDS)
    finally:
        desk.shut()
        connection.terminate()


async def _take_over(database: Database, other: int) -> None:
    try:
        async with database.transaction() as tx:
            rows = await deliveries.recover(tx, other, UNKNOWN_PAUSE, REPEATS)
            for row in rows:
                ENDED.labels(row["template"], row["state"]).inc()
                say_failure(tx, row)
    except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
        log.warning("take_over_waits", error=type(error).__name__)
        return
    if rows:
        log.warning("took_over", mails=len(rows))


async def _lapse(database: Database) -> None:
    """Every second: what has passed its deadline is not sent any more."""
    while True:
        async with database.transaction() as tx:
            for row in await deliveries.lapse(tx):
                ENDED.labels(row["template"], row["state"]).inc()
                say_failure(tx, row)
        await asyncio.sleep(LAPSE_SECONDS)
