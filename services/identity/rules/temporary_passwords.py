"""What a temporary password looks like (L5)."""

from collections.abc import Callable, Sequence

ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without letters that look alike on paper: 0 O o, 1 I i l. 55 letters, so 16 of them hold 92 bits."""

LENGTH = 16


def temporary_password(choose: Callable[[Sequence[str]], str]) -> str:
    """LENGTH letters, each by `choose`, which must be unpredictable."""
    return "".join(choose(ALPHABET) for _ in range(LENGTH))
