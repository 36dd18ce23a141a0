"""Fresh codes, so that tests never meet each other's data and nothing needs to be cleaned up."""

import itertools
import os
import secrets
from datetime import UTC, datetime

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_policyholders = itertools.count(secrets.randbelow(500_000) * 100)


def policyholder_code() -> str:
    """Nine digits that no other test uses."""
    return f"{_worker + 1}{next(_policyholders) % 100_000_000:08d}"


def word(prefix: str = "w") -> str:
    """A word that no other test uses."""
    return f"{prefix}{secrets.token_hex(5)}"


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)
