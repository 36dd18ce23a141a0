"""The chain over everything recorded: each block's head covers its rows, their order, and all blocks before."""

import hashlib
import struct
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

EMPTY = bytes(32)
"""The head before the first block."""

_ROOT = b"\x01"
_HEAD = b"\x02"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone(timedelta()))


def root(leaves: Iterable[bytes]) -> bytes:
    """One digest over the digests of a block's rows, in their order."""
    return hashlib.sha256(_ROOT + b"".join(leaves)).digest()


def head(before: bytes, block: int, first: int, rows: int, recorded_at: datetime, root_: bytes) -> bytes:
    """The digest that covers this block and all before it; `recorded_at` counts in whole microseconds."""
    microseconds = (recorded_at - _EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(_HEAD + before + struct.pack(">qqqq", block, first, rows, microseconds) + root_).digest()
