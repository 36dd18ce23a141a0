"""How much a test does: a little in `make test`, all of it in `make chaos`, and as much as SIZE says of that."""

import os
import sys

SIZE = float(os.environ.get("CHAOS") or 0)
"""0: make test; 1: the whole bar; between them a part of it."""
CHAOS = SIZE > 0


def scaled(usual: int, whole: int) -> int:
    """`usual` in make test, `whole` in make chaos; `whole` is smaller for strides, where less is more work."""
    if not CHAOS:
        return usual
    return max(usual, round(whole * SIZE)) if whole >= usual else min(usual, max(whole, round(whole / SIZE)))


def progress(text: str) -> None:
    """One line on the screen of somebody who runs make chaos, whatever pytest captures."""
    if CHAOS:
        print(f"    {text}", file=sys.__stderr__, flush=True)
