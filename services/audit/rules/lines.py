"""The one canonical text of a row: what COPY writes and reads, and what the digests are made of."""

import hashlib
import re
from datetime import UTC, datetime

COLUMNS = (
    "id",
    "performed_at",
    "type",
    "policyholder_code",
    "user_id",
    "name",
    "department",
    "title",
    "operation",
    "outcome",
    "session_id",
    "source_address",
    "details",
)
"""The columns under the digest, in this order; the number comes before them and is covered by the block."""

_SPECIAL = re.compile(r"[\\\b\t\n\v\f\r]")
_ESCAPES = {"\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_LEAF = b"\x00"
NULL = "\\N"


def line(values: tuple[str | None, ...]) -> bytes:
    """The row as PostgreSQL's COPY text format has it (UTF-8, tabs between, no line end); None is \\N.

    Raises UnicodeEncodeError for lone surrogates. The caller has refused NUL, which PostgreSQL cannot store.
    """
    if _SPECIAL.search(" ".join(filter(None, values))):  # one look at all of them: almost every row needs no escapes
        values = tuple(value and _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value) for value in values)
    return "\t".join([NULL if value is None else value for value in values]).encode()


def timestamp(moment: datetime) -> str:
    """A moment as COPY prints a timestamptz in a session whose time zone is UTC."""
    text = moment.astimezone(UTC).isoformat(" ")[:-6]
    return (text.rstrip("0") if moment.microsecond else text) + "+00"


def leaf(text: bytes) -> bytes:
    """SHA-256 over the canonical text of a row, in a domain of its own."""
    return hashlib.sha256(_LEAF + text).digest()
