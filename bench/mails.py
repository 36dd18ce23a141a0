"""Mails through the whole notifier against aiosmtplib alone with bytes made before, side by side (P9)."""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiosmtplib
import uvloop

from bench.sinks import Counted, sink
from chassis.messages import new_id
from chassis.sql import Database
from contracts.notifier import Template
from deploy.local.cluster import test_cluster
from notifier.keys import KeyRing
from notifier.mails.catalogue import CATALOGUE, preview
from notifier.mails.names import OwnTemplate
from notifier.sending.wire import build
from notifier.settings import Settings
from notifier.store import mails
from notifier.store.mails import NewMail
from tests.notifier.wishes import Wishes, address
from tests.support.keys import Signer
from tests.support.platform import Platform, services
from tests.support.processes import serving

SENDER = "web_info@nexi.go.jp"
WHOLE_NAMES = ("notifier", "identity", "applications")


def alone(port: int, connections: int, texts: list[bytes]) -> None:
    """The peer, in a process of its own: every connection sends one mail after the other."""

    async def connection(left: Iterator[bytes]) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number, text in enumerate(left):
                await client.sendmail(SENDER, [f"u{number}@sample.com"], text)

    async def run() -> None:
        left = iter(texts)
        await asyncio.gather(*(connection(left) for _ in range(connections)))

    uvloop.run(run())


def prebuilt(count: int) -> list[bytes]:
    """As many texts, half with a password and half receipts, as the notifier would build them."""
    now = datetime.now(UTC)
    words = [preview(Template.PASSWORD_REISSUED), preview(OwnTemplate.APPLICATION_RECEIVED)]
    return [
        build(
            mail_id=new_id(), resent=0, sender=SENDER, recipient=address(), date=now,
            subject=words[number % 2].subject, body=words[number % 2].body,
        )
        for number in range(count)
    ]  # fmt: skip


def peer(port: int, counted: Counted, connections: int, count: int) -> float:
    """Mails a second of aiosmtplib alone."""
    counted.clear()
    process = multiprocessing.get_context("spawn").Process(target=alone, args=(port, connections, prebuilt(count)))
    process.start()
    process.join()
    assert counted.mails == count
    return counted.rate


async def write_down(platform: Platform, database: Database, count: int) -> None:
    """Mails that wait, as the listeners would have written them."""
    settings = platform.settings("notifier")
    assert isinstance(settings, Settings)
    of_keys = SimpleNamespace(provides={KeyRing: KeyRing.of(settings)})
    wishes = Wishes(platform, of_keys)  # type: ignore[arg-type]  # a mail that is never said needs the keys alone
    now = datetime.now(UTC)
    receipt = CATALOGUE[OwnTemplate.APPLICATION_RECEIVED]
    async with database.transaction(statement_seconds=60) as tx:
        for number in range(count):
            common: dict[str, Any] = {"id": new_id(), "asked_at": now, "due_at": now + timedelta(days=1)}
            if number % 2:
                facts = receipt.sample.model_dump(mode="json")
                mail = NewMail(
                    template=receipt.template, policyholder_code="100000001", about_user_id="100000001000",
                    recipient=address(), facts=facts, urgency=receipt.urgency, not_after=now + timedelta(days=7),
                    application_number=facts["number"], **common,
                )  # fmt: skip
            else:
                wish = wishes.mail(Template.PASSWORD_REISSUED, address(), secret="Hk7mPw3xRt9vNc4d")
                assert wish.secret is not None
                mail = NewMail(
                    template=wish.template, policyholder_code=wish.policyholder_code, recipient=wish.recipient,
                    about_user_id=wish.about_user_id, facts=dict(wish.facts), urgency=receipt.urgency,
                    not_after=wish.not_after, secret=wish.secret.model_dump(), secret_place=wish.place(), **common,
                )  # fmt: skip
            await mails.add(tx, mail)


async def ours(platform: Platform, port: int, counted: Counted, senders: int, count: int) -> float:
    """Mails a second of the notifier: opened, written, claimed, sent, written down and said."""
    counted.clear()
    told = {"smtp_port": port, "smtp_security": "none", "senders": senders}
    async with platform.owner("notifier") as database:
        await write_down(platform, database, count)
        async with serving(platform, "notifier", **told):
            await database.execute("analyze mails")
            await asyncio.sleep(1)
            async with database.transaction() as tx:
                await tx.execute("update mails set due_at = now() where due_at is not null")
                await tx.execute("select pg_notify('mails', '')")
            while await database.fetchval("select exists (select from mails where state <> 'sent')"):
                await asyncio.sleep(0.1)
        assert counted.mails == count
        await database.execute("truncate mails")
    return counted.rate


async def measure(rounds: int, count: int, senders: int, kinds: list[str]) -> None:
    """Both in turn, several rounds, against each kind of mail server."""
    with test_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        of = {name: service for name, service in services().items() if name in WHOLE_NAMES}
        async with Signer().published() as signer, Platform(cluster, Path(folder), signer, of=of) as platform:
            for kind in kinds:
                with sink(kind) as (port, counted):
                    found = []
                    for _ in range(rounds):
                        other = await asyncio.to_thread(peer, port, counted, senders, count)
                        found.append((other, await ours(platform, port, counted, senders, count)))
                show(kind, found, senders, count)


def show(kind: str, found: list[tuple[float, float]], senders: int, count: int) -> None:
    """Medians, and the ratio round by round."""
    other, own = (statistics.median(one) for one in zip(*found, strict=True))
    ratios = [one[1] / one[0] for one in found]
    print(f"{kind} sink, {senders} connections, {count} mails a round, {len(found)} rounds")
    print(f"  aiosmtplib, bytes made before {other:>7,.0f} mails/s   (rounds {[round(one[0]) for one in found]})")
    print(f"  the whole notifier            {own:>7,.0f} mails/s   (rounds {[round(one[1]) for one in found]})")
    print(f"  ratio                         {statistics.median(ratios):>7.0%}           (goal 80%)", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mails", type=int, default=4000)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--sinks", nargs="+", default=["fast", "aiosmtpd"])
    chosen = parser.parse_args()
    uvloop.run(measure(chosen.rounds, chosen.mails, chosen.senders, chosen.sinks))
