"""Mails leave over TLS with a checked certificate, or not at all (B-7)."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from contracts.notifier import Template
from notifier.settings import Settings
from tests.notifier.conftest import sending_to
from tests.notifier.relays import BadRelay, bad_relay, only
from tests.notifier.wishes import address
from tests.support.platform import Platform

SECRET = "Hk7mPw3xRt9vNc4d"


@dataclass(frozen=True)
class Certificate:
    """A certificate that signed itself, as the server's context, and the file that makes a client trust it."""

    context: ssl.SSLContext
    file: Path


def certificate(folder: Path, host: str = "127.0.0.1", *, lapsed: bool = False) -> Certificate:
    """For one host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    begin = datetime.now(UTC) - timedelta(days=10)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(begin).not_valid_after(begin + timedelta(days=1 if lapsed else 20))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file, whole = folder / "certificate.pem", folder / "whole.pem"
    public = made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(public)
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    whole.write_bytes(public + key.private_bytes(serialization.Encoding.PEM, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return Certificate(context, file)


def nothing_said(relay: BadRelay) -> bool:
    """Not even who the mail is for."""
    return not relay.taken and not any(line.startswith(("MAIL", "RCPT", "AUTH")) for line in relay.lines)


@pytest.mark.requirement("B-7")
async def test_with_starttls_everything_travels_covered(apart: Platform, tmp_path: Path) -> None:
    own, to = certificate(tmp_path), address()
    login = {"smtp_username": "nexi", "smtp_password": "relay-password"}
    async with (
        bad_relay(context=own.context) as relay,
        sending_to(apart, relay.port, smtp_security="starttls", smtp_ca=own.file, **login) as wishes,
    ):
        await wishes.end(await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret=SECRET)), "sent")
        commands = [line.split()[0].upper() for line in relay.lines]
        assert commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert len(relay.to(to)) == 1


@pytest.mark.requirement("B-7")
async def test_with_tls_from_the_first_byte(apart: Platform, tmp_path: Path) -> None:
    own, to = certificate(tmp_path), address()
    async with (
        bad_relay(context=own.context, covered=True) as relay,
        sending_to(apart, relay.port, smtp_security="tls", smtp_ca=own.file) as wishes,
    ):
        await wishes.end(await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret=SECRET)), "sent")
        assert len(relay.to(to)) == 1


@pytest.mark.requirement("B-7")
async def test_a_relay_that_offers_no_starttls_gets_nothing(apart: Platform) -> None:
    async with bad_relay() as relay, sending_to(apart, relay.port, smtp_security="starttls") as wishes:
        mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, address(), secret=SECRET))
        row = await wishes.end(mail_id, "retrying")
        assert row["reason"].startswith("no connection: ")
        assert nothing_said(relay)


@pytest.mark.requirement("B-7")
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another host", "lapsed"])
async def test_a_relay_whose_certificate_is_wrong_gets_nothing(
    apart: Platform, tmp_path: Path, security: str, fault: str
) -> None:
    host = "relay.example.jp" if fault == "another host" else "127.0.0.1"
    own = certificate(tmp_path, host, lapsed=fault == "lapsed")
    trusted: dict[str, Any] = {} if fault == "unknown authority" else {"smtp_ca": own.file}
    async with (
        bad_relay(context=own.context, covered=security == "tls") as relay,
        sending_to(apart, relay.port, smtp_security=security, **trusted) as wishes,
    ):
        mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, address(), secret=SECRET))
        row = await wishes.end(mail_id, "retrying")
        assert row["reason"].startswith("no connection: certificate: "), row["reason"]
        assert nothing_said(relay)


@pytest.mark.requirement("B-7")
async def test_a_relay_that_does_not_let_us_in_gets_nothing_and_no_mail_fails(apart: Platform, tmp_path: Path) -> None:
    own, to = certificate(tmp_path), address()
    login = {"smtp_username": "nexi", "smtp_password": "relay-password"}
    async with (
        bad_relay(only("", "AUTH", "535 5.7.8 wrong"), context=own.context) as relay,
        sending_to(apart, relay.port, smtp_security="starttls", smtp_ca=own.file, **login) as wishes,
    ):
        mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret=SECRET))
        row = await wishes.end(mail_id, "retrying", "failed")
        assert (row["state"], row["reason"]) == ("retrying", "no connection: reply: 535 5.7.8 wrong")
        assert not relay.taken
        assert not any(line.startswith(("MAIL", "RCPT")) for line in relay.lines)


def test_without_a_word_mails_are_covered() -> None:
    told = dict.fromkeys(("database_url", "broker_url", "partner_broker_url", "identity_keys_url"), "x")
    assert Settings(**told).smtp_security == "starttls"
    with pytest.raises(ValidationError, match="together"):
        Settings(**told, smtp_username="nexi")
