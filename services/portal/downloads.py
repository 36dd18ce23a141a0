"""How many downloads may be under way: each keeps a connection to a gateway busy for as long as its reader takes."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from portal.gateways import MOST_CONNECTIONS, Refused

MOST: Final = MOST_CONNECTIONS // 2
"""The other half of the connections is left to pages."""
MOST_OF_A_USER: Final = 4


class TooManyDownloads(Refused):
    """One more would be too many; becomes a page by itself, as every Refused does."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, {"type": "/problems/too-many-downloads", "detail": detail})


class Downloads:
    """The downloads of this process, by user."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()

    def enter(self, user_id: str) -> Callable[[], None]:
        """Begin one; answers what to call once when it has ended. Raises TooManyDownloads."""
        if self._under_way[user_id] >= MOST_OF_A_USER:
            raise TooManyDownloads(
                429,
                f"同時にダウンロードできるファイルは{MOST_OF_A_USER}件までです。"
                "ほかのダウンロードが終わってから、もう一度お試しください。",
            )
        if self._under_way.total() >= MOST:
            raise TooManyDownloads(
                503, "ただいまダウンロードが大変混み合っています。しばらくしてからもう一度お試しください。"
            )
        self._under_way[user_id] += 1
        return partial(self._leave, user_id)

    def _leave(self, user_id: str) -> None:
        self._under_way[user_id] -= 1
        if not self._under_way[user_id]:
            del self._under_way[user_id]
