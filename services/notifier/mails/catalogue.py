"""Every mail on one page: its facts, its urgency, and what happens when nobody knows its fate."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import ValidationError

from chassis.messages import explain
from contracts.notifier import Template
from notifier.mails import japanese
from notifier.mails.facts import AboutNamedUser, AboutUser, AccountTouched, Completed, Facts, Rejected, Submitted
from notifier.mails.japanese import Text
from notifier.mails.names import OwnTemplate

LANGUAGES: Mapping[str, Mapping[str, Callable[..., Text]]] = {"ja": japanese.TEXTS}

CODES, PASSWORDS, OTHERS = 1, 2, 3
"""Urgency: a code that lives for minutes never waits behind a thousand receipts."""


class Broken(ValueError):
    """The mail cannot be rendered from what is known; the text says why, without quoting a value."""


@dataclass(frozen=True)
class Mail:
    """One mail. `repeats`: how often it is sent again by itself after an end that nobody knows (the connection broke
    between the last byte and the relay's answer, or the process died); after that it rests for an operator."""

    template: str
    facts: type[Facts]
    urgency: int
    repeats: int
    sample: Facts
    sample_secret: str | None = None
    sample_life: timedelta = timedelta(days=1)


_USER = AboutUser(user_id="123456789000")
_APPLICANT = AboutNamedUser(user_id="123456789001", name="貿易　花子")
_MOMENT = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
_PASSWORD = "Hk7mPw3xRt9vNc4d"
_URL = "https://web.example.jp/email-confirmation#token=Zm9yLXRoZS1wcmV2aWV3LW9ubHktMDEyMzQ1Njc4OWFiY2RlZg"

# A second password or code mail is harmless and a missing one is not, so they are repeated more often than receipts.
CATALOGUE: Mapping[str, Mail] = {
    mail.template: mail
    for mail in (
        Mail(Template.INITIAL_PASSWORD, AboutNamedUser, PASSWORDS, 5, _APPLICANT, _PASSWORD, timedelta(days=14)),
        Mail(Template.PASSWORD_REISSUED, AboutUser, PASSWORDS, 5, _USER, _PASSWORD),
        Mail(Template.PASSWORD_RESET, AboutNamedUser, PASSWORDS, 5, _APPLICANT, _PASSWORD),
        Mail(Template.ONE_TIME_PASSWORD, AboutUser, CODES, 5, _USER, "40718293", timedelta(minutes=10)),
        Mail(Template.EMAIL_CONFIRMATION, AboutUser, PASSWORDS, 5, _USER, _URL),
        Mail(Template.EMAIL_CHANGE_NOTICE, AboutUser, PASSWORDS, 5, _USER),
        Mail(Template.GROUP_VIEWER_PASSWORD, AboutUser, PASSWORDS, 5, _USER, _PASSWORD, timedelta(days=14)),
        Mail(
            OwnTemplate.APPLICATION_RECEIVED, Submitted, OTHERS, 3,
            Submitted(number="2026-0401-0001", procedure_label="保険利用者情報変更", submitted_at=_MOMENT,
                      applicant="日本　太郎"),
        ),
        Mail(
            OwnTemplate.APPLICATION_COMPLETED, Completed, OTHERS, 3,
            Completed(number="2026-0401-0001", procedure_label="保険利用者情報変更", completed_at=_MOMENT,
                      effective_date=date(2026, 4, 15)),
        ),
        Mail(
            OwnTemplate.APPLICATION_REJECTED, Rejected, OTHERS, 3,
            Rejected(number="2026-0401-0001", procedure_label="保険利用者情報変更", rejected_at=_MOMENT,
                     reason="登記所在地を確認できませんでした。"),
        ),
        Mail(
            OwnTemplate.ACCOUNT_SECURITY, AccountTouched, PASSWORDS, 5,
            AccountTouched(number="2026-0401-0002", procedure_label="口座登録", completed_at=_MOMENT,
                           applicant_user_id="123456789000"),
        ),
    )
}  # fmt: skip


def checked(template: str, facts: Mapping[str, Any]) -> Facts:
    """The facts as their type. Raises Broken for an unknown mail and for facts that are missing or wrong."""
    mail = CATALOGUE.get(template)
    if mail is None:
        raise Broken("template: unknown")
    try:
        return mail.facts.model_validate(facts)
    except ValidationError as error:
        raise Broken(f"facts: {explain(error)}") from None


def render(template: str, facts: Facts, secret: str | None, life: timedelta, language: str = "ja") -> Text:
    """The words; `life`: how long the secret is valid, from the wish to its deadline.

    Raises Broken when a mail that carries a secret comes without, or the other way round.
    """
    words = LANGUAGES[language][template]
    if (CATALOGUE[template].sample_secret is None) != (secret is None):
        raise Broken("secret: missing" if secret is None else "secret: this mail carries none")
    return words(facts) if secret is None else words(facts, secret, japanese.span(life))


def preview(template: str, language: str = "ja") -> Text:
    """The words with sample facts."""
    mail = CATALOGUE[template]
    return render(template, mail.sample, mail.sample_secret, mail.sample_life, language)


@cache
def subject_of(template: str) -> str:
    """What kind of mail it is, in the words of its subject."""
    subject = preview(template).subject if template in CATALOGUE else template
    return re.sub("^【[^】]*】|（[^（）]*）$", "", subject)
