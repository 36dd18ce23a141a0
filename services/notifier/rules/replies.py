"""What a mail server's reply means for the mail."""

import re
from enum import StrEnum


class Verdict(StrEnum):
    """What to do after a reply."""

    GO_ON = "go_on"
    LATER = "later"
    NEVER = "never"


_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ADDRESS_CODES = frozenset({550, 551, 553})


def verdict(code: int) -> Verdict:
    """2xx and 3xx: go on; 5xx: never; everything else, also what is no reply code at all: later."""
    if 200 <= code < 400:
        return Verdict.GO_ON
    return Verdict.NEVER if 500 <= code < 600 else Verdict.LATER


def refuses_address(code: int, text: str) -> bool:
    """Whether a reply to RCPT says that there is no such mailbox, rather than that we may not send (5.7.x)."""
    enhanced = _ENHANCED.match(text)
    return code in _ADDRESS_CODES and not (enhanced and enhanced[0].startswith("5.7."))


def quoted(step: str, code: int, text: str) -> str:
    """A reply for an operator's eyes: one line, printable, short."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"{step}: {code} {' '.join(printable.split())}"[:300]
