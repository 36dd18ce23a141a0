"""What a content names: the UUIDs in it, by which an account in use by an open application is found (P7)."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

MOST_BYTES = 256 * 1024
"""Of a content, as compact JSON (P2)."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def names(content: Any) -> list[UUID]:
    """The UUIDs that stand as values anywhere in a content, each once; MOST_BYTES hold fewer than 7,000."""
    return list(dict.fromkeys(UUID(text) for text in _texts(content) if _UUID.fullmatch(text)))


def _texts(content: Any) -> Iterator[str]:
    pending = [content]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
