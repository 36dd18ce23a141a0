"""What else an event said, kept small: long members are kept as their digest."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pydantic_core

MOST_BYTES = 2048
"""Of one member; the content of an application is kept as its digest, so that the row still proves what was sent."""


def canonical(members: Mapping[str, Any]) -> str:
    """JSON with sorted keys; equal members give equal text, however they were ordered when they came."""
    return pydantic_core.to_json({key: _small(members[key]) for key in sorted(members)}).decode()


def _small(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) <= MOST_BYTES // 4:
            return value
    elif not isinstance(value, dict | list):
        return value
    else:
        value = _sorted(value)
    text = pydantic_core.to_json(value)
    return value if len(text) <= MOST_BYTES else {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
