"""Each guard counts: with the guard taken out, what it prevents happens."""

import ssl
from pathlib import Path

import aiosmtplib
import pytest

from contracts.notifier import Template
from notifier.sending import relay as relays
from notifier.sending import wire
from notifier.sending.senders import Sender
from notifier.settings import Settings
from notifier.store import deliveries
from tests.notifier.conftest import against, sending_to
from tests.notifier.relays import HANG, BadRelay, bad_relay
from tests.notifier.test_codes import sent_when_superseded_at
from tests.notifier.test_covered import certificate
from tests.notifier.test_queues import texts_beside_an_unwritten_end
from tests.notifier.test_wire import built, parsed
from tests.notifier.wishes import address
from tests.support.eventually import eventually
from tests.support.platform import Platform

NOTICE = Template.EMAIL_CHANGE_NOTICE


@pytest.mark.requirement("B-7")
async def test_if_offered_is_no_protection(apart: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def merely_if_offered(settings: Settings) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(hostname=settings.smtp_host, port=settings.smtp_port, start_tls=None)

    monkeypatch.setattr(relays, "client_for", merely_if_offered)
    async with bad_relay() as relay, sending_to(apart, relay.port, smtp_security="starttls") as wishes:
        await wishes.end(await wishes.say(wishes.mail(NOTICE, address())), "sent")
        assert relay.taken, "it left in clear although STARTTLS was asked for"


@pytest.mark.requirement("B-7")
async def test_an_unchecked_certificate_is_no_protection(
    apart: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: unchecked)
    own = certificate(tmp_path, "relay.example.jp", lapsed=True)
    async with (
        bad_relay(context=own.context) as relay,
        sending_to(apart, relay.port, smtp_security="starttls") as wishes,
    ):
        await wishes.end(await wishes.say(wishes.mail(NOTICE, address())), "sent")
        assert relay.taken, "it left for somebody who is not the relay"


@pytest.mark.requirement("B-6")
def test_without_the_check_of_addresses_a_mail_has_more_recipients_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "safe", lambda given: given)
    assert len(parsed(built(recipient="a@b.jp, c@d.jp"))["To"].addresses) == 2
    assert parsed(built(recipient="a@b.jp\r\nBcc: c@d.jp"))["Bcc"] == "c@d.jp"


@pytest.mark.requirement("B-6")
def test_without_the_encoding_a_subject_brings_its_own_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "encoded", lambda given: given)
    assert parsed(built(subject="x\r\nBcc: c@d.jp"))["Bcc"] == "c@d.jp"


@pytest.mark.requirement("R-6")
async def test_without_the_last_word_a_superseded_code_leaves(apart: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    async def always(*_: object) -> bool:
        return True

    monkeypatch.setattr(deliveries, "still_wanted", always)
    assert "11111111" in await sent_when_superseded_at(apart, "DATA")


@pytest.mark.requirement("R-6")
async def test_without_waiting_for_its_last_end_a_sender_has_two_texts_out(
    apart: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*_: object) -> None:
        return None

    monkeypatch.setattr(Sender, "_last_word", at_once)
    assert await texts_beside_an_unwritten_end(apart) == 2


@pytest.mark.requirement("R-6")
async def test_without_one_at_a_time_a_bad_recipient_occupies_every_sender(
    apart: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_each = "and not exists (select from mails where state = 'sending' and recipient = waiting.recipient)"
    mutant = deliveries.CLAIM.replace(one_each, "").replace("distinct on (recipient) id", "distinct id")
    monkeypatch.setattr(deliveries, "CLAIM", mutant.replace("order by recipient, place", ""))
    slow = f"slow{address()}"

    async def tried(relay: BadRelay) -> bool:
        return sum(line.startswith(f"RCPT TO:<{slow}") for line in relay.lines) > 2

    async with against(apart, lambda at, whom: HANG if at == "RCPT" and whom == slow else None, senders=4) as (
        relay,
        wishes,
    ):
        for _ in range(6):
            await wishes.say(wishes.mail(NOTICE, slow))
        await eventually(lambda: tried(relay))
