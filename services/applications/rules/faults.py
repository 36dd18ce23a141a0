"""How a procedure's own rules speak: what they may look at, and what they found wrong."""

from dataclasses import dataclass
from datetime import date

from contracts.nexi import Profile


@dataclass(frozen=True)
class Facts:
    """What a procedure's rules may know beside the content."""

    today: date
    """By Japan time."""
    profile: Profile | None
    """The policyholder's profile in force; None while accounts has not told us of it."""


@dataclass(frozen=True)
class Fault:
    """One broken rule: the field of the content, a short name of the rule, a Japanese sentence for people."""

    field: str
    rule: str
    message: str
