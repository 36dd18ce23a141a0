"""What a walk through the screens does at each of them."""

from collections.abc import Awaitable, Callable

Station = Callable[[str], Awaitable[None]]
"""Called at each screen with its name."""
