"""The bytes of a mail are what the standard library would read back, and nothing in them can become a header."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.fields import EmailAddress
from notifier.mails.catalogue import CATALOGUE, Broken, checked, preview, render
from notifier.sending.wire import UnsafeAddress, build, encoded, safe

MAIL_ID = UUID("0190b5d0-0000-7000-8000-000000000001")
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding",
]  # fmt: skip


def built(**given: object) -> bytes:
    """A mail with something of one's own."""
    arguments = {
        "mail_id": MAIL_ID, "resent": 0, "sender": "web_info@nexi.go.jp", "recipient": "nippo-taro@sample.com",
        "subject": "申込受付のお知らせ", "body": "本文\n", "date": datetime(2026, 4, 1, 1, 30, tzinfo=UTC),
    }  # fmt: skip
    return build(**(arguments | given))  # type: ignore[arg-type]


def parsed(raw: bytes) -> EmailMessage:
    """As a mail program reads it."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


text = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


@pytest.mark.requirement("B-6")
@given(subject=text, body=text)
def test_whatever_stands_in_subject_and_body_is_read_back_and_adds_no_header(subject: str, body: str) -> None:
    raw = built(subject=subject, body=body)
    message = parsed(raw)
    assert list(message.keys()) == HEADERS
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    assert all(byte < 128 for byte in raw)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))
    assert re.sub(rb"\r\n[ \t]", b" ", head).count(b"\r\n") == len(HEADERS) - 1
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() == body.replace("\n", "\r\n")
    assert rest.endswith(b"\r\n") or not body


@given(subject=st.text(st.characters(categories=("L", "N", "Po", "Ps", "Pe")), min_size=1, max_size=120))
def test_a_subject_is_read_back_letter_for_letter(subject: str) -> None:
    assert parsed(built(subject=subject))["Subject"] == subject


def test_the_same_mail_has_the_same_bytes() -> None:
    assert built() == built()
    message = parsed(built())
    assert message["Message-ID"] == f"<{MAIL_ID}@nexi.go.jp>"
    assert message["Date"].datetime == datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
    assert message["To"].addresses == (Address(addr_spec="nippo-taro@sample.com"),)
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "本文\r\n" or message.get_content() == "本文\n"


def test_a_mail_that_an_operator_sends_again_is_no_duplicate_to_mail_systems() -> None:
    assert parsed(built(resent=2))["Message-ID"] == f"<{MAIL_ID}.2@nexi.go.jp>"


HOSTILE = [
    "a@b.jp, c@d.jp", "a,b@c.jp", '"a b"@c.jp', "a@b.jp\r\nBcc: c@d.jp", "a@b.jp\nX: y", "a@b.jp>", "<a@b.jp>",
    "a\0@b.jp", "a\x0b@b.jp", "a\u2028@b.jp", "a\x85@b.jp", "a@日本.jp", "日本@b.jp", "a@b.jp SIZE=1", "a b@c.jp",
    "a@b@c.jp", "a@[127.0.0.1]", "a;b@c.jp", "a:b@c.jp", "a(x)@b.jp", "a\\@b.jp", "", "a@", "@b.jp", "a@b.jp;c@d.jp",
]  # fmt: skip


@pytest.mark.requirement("B-6", "F2")
@pytest.mark.parametrize("address", HOSTILE)
def test_an_address_that_could_mean_something_else_is_refused_twice(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EmailAddress).validate_python(address)
    with pytest.raises(UnsafeAddress):
        safe(address)
    with pytest.raises(UnsafeAddress):
        built(recipient=address)


@pytest.mark.parametrize("address", ["o'hara@b.jp", "a+b@c.jp", "a.b-c_d@e-f.co.jp", "x@xn--wgv71a119e.jp"])
def test_plain_addresses_are_read_back_as_one(address: str) -> None:
    assert TypeAdapter(EmailAddress).validate_python(address) == address
    assert parsed(built(recipient=address))["To"].addresses[0].addr_spec == address


@pytest.mark.parametrize("template", list(CATALOGUE))
def test_every_subject_is_folded_within_its_lines(template: str) -> None:
    subject = preview(template).subject
    assert all(len(line) <= 76 for line in f"Subject: {encoded(subject)}".split("\r\n"))
    assert parsed(built(subject=subject))["Subject"] == subject


@pytest.mark.parametrize("template", list(CATALOGUE))
def test_facts_that_are_missing_or_hostile_are_refused_without_being_quoted(template: str) -> None:
    with pytest.raises(Broken, match="facts: ") as refused:
        checked(template, {"name": "secret\r\nBcc: x", "user_id": "secret\r\n"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("不備\r\n\r\nパスワードを返信してください\u2028\u202e", "　理由：不備 パスワードを返信してください\n"),
        (" \u3000\r\n", "　日時：2026/04/01 09:00\n\n"),
    ],
)
def test_a_free_text_can_neither_lay_out_our_mail_nor_prevent_it(reason: str, line: str) -> None:
    facts = checked(
        "application_rejected",
        {
            "number": "2026-0401-0001",
            "procedure_label": "x",
            "rejected_at": "2026-04-01T00:00:00Z",
            "reason": reason,
        },
    )
    assert line in render("application_rejected", facts, None, timedelta(days=7)).body


@pytest.mark.parametrize(("template", "secret"), [("one_time_password", None), ("email_change_notice", "12345678")])
def test_a_secret_is_there_exactly_where_it_belongs(template: str, secret: str | None) -> None:
    with pytest.raises(Broken, match="secret: "):
        render(template, CATALOGUE[template].sample, secret, timedelta(days=1))
