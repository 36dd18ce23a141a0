"""Which mail addresses are better avoided, and when the link that confirms a new one still counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files

LINK_LIFE = timedelta(hours=24)
"""R116, E2."""

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
    """Enough of an address for its owner to know it again: `n***@sample.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


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
    accepted_at: datetime | None
    confirmed_at: datetime | None
    superseded_at: datetime | None
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, datetime | None]) -> "Link":
        """From a remembered row that has these columns among others."""
        requested_at = row["requested_at"]
        assert requested_at is not None
        return cls(requested_at, row["accepted_at"], row["confirmed_at"], row["superseded_at"], row["withdrawn_at"])

    @property
    def expires_at(self) -> datetime:
        """24 hours from the mail server's acceptance; until that is known, from the request (E2)."""
        return (self.accepted_at or self.requested_at) + LINK_LIFE

    def state(self, now: datetime) -> LinkState:
        """Valid while `now < expires_at` (E2); a confirmed one says so within its 24 hours (E3)."""
        if self.superseded_at is not None:
            return LinkState.SUPERSEDED
        if self.withdrawn_at is not None:
            return LinkState.WITHDRAWN
        if now >= self.expires_at:
            return LinkState.LAPSED
        return LinkState.PENDING if self.confirmed_at is None else LinkState.CONFIRMED
