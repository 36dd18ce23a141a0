"""What else an event said, kept small and confidential: what was applied for, and long members, as their digest."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pydantic_core

MOST_BYTES = 2048
"""Of one member that is kept as it came."""
CONFIDENTIAL = frozenset({"content"})
"""What was applied for (bank accounts, names, addresses): always kept as its digest, so that the row still proves what
was sent, but neither operators nor a SIEM can read it."""


def canonical(members: Mapping[str, Any]) -> str:
    """JSON with sorted keys; equal members give equal text, however they were ordered when they came."""
    kept = {key: (_digest if key in CONFIDENTIAL else _small)(members[key]) for key in sorted(members)}
    # NaN and the infinities, which some JSON writers say and PostgreSQL does not take, become their names.
    return pydantic_core.to_json(kept, inf_nan_mode="strings").decode()


def _small(value: Any) -> Any:
    if (isinstance(value, str) and len(value) <= MOST_BYTES // 4) or not isinstance(value, str | dict | list):
        return value
    value = _sorted(value)
    return value if len(pydantic_core.to_json(value)) <= MOST_BYTES else _digest(value)


def _digest(value: Any) -> dict[str, Any]:
    text = pydantic_core.to_json(_sorted(value))
    return {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
