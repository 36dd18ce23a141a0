"""How much a test does: a little in `make test`, the whole of it in `make chaos`."""

import os

CHAOS = bool(os.environ.get("CHAOS"))


def scaled(usual: int, whole: int) -> int:
    """`usual` in make test, `whole` in make chaos."""
    return whole if CHAOS else usual
