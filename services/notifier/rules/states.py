"""The states of a mail, as operators see them."""

from enum import StrEnum


class State(StrEnum):
    """received → sending → sent, or what else became of it."""

    RECEIVED = "received"
    SENDING = "sending"
    SENT = "sent"
    """The relay took it (250)."""
    RETRYING = "retrying"
    """Refused transiently (4xx), or no connection; tried again until its deadline."""
    FAILED = "failed"
    """Refused permanently (5xx), or it cannot be written."""
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    """The line broke, or the process died, after the text was on its way: perhaps the relay has it. It stays so while
    it is tried again, until it is sent, refused for good or superseded."""
