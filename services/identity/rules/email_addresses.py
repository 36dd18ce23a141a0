"""Which mail addresses are better avoided, and when the link that confirms a new one still counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files

DISCOURAGED = "フリーメールや携帯電話・スマートフォンのメールアドレスは推奨しません。"


def _domains() -> frozenset[str]:
    text = files(__package__).joinpath("discouraged_domains.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


_DISCOURAGED_DOMAINS = _domains()


def discouraged(address: str) -> bool:
    """Whether the address is free mail or a mobile carrier's (R119); such an address is accepted all the same (F2)."""
    labels = address.rpartition("@")[2].lower().split(".")
    return any(".".join(labels[start:]) in _DISCOURAGED_DOMAINS for start in range(len(labels) - 1))


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else learns: `ni***@sample.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[: 2 if len(local) > 2 else 1]}***@{domain}"


class LinkState(StrEnum):
    """What a confirmation link is worth."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Link:
    """A requested change of address as it is remembered."""

    requested_at: datetime
    mail_accepted_at: datetime | None
    confirmed_at: datetime | None
    superseded: bool
    withdrawn: bool

    def expires_at(self, life: timedelta) -> datetime:
        """`life` (24 hours) from the mail server's acceptance; until that is known, from the request (R116, E2)."""
        return (self.mail_accepted_at or self.requested_at) + life

    def state(self, now: datetime, life: timedelta) -> LinkState:
        """Valid while `now < expires_at` (E2); a confirmed one says so as long (E3)."""
        if self.superseded:
            return LinkState.SUPERSEDED
        if self.withdrawn:
            return LinkState.WITHDRAWN
        if now >= self.expires_at(life):
            return LinkState.LAPSED
        return LinkState.PENDING if self.confirmed_at is None else LinkState.CONFIRMED
