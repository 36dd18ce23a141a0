"""Who a browser's session belongs to: identity's access tokens, kept in this process and never shown to the browser."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from portal.gateways import Gateway, Gateways, Refused, Unavailable

FRESH_SECONDS: Final = 60.0
"""identity hears at least this often that the session is in use, so that its idle time-out stays true."""
MOST: Final = 20_000


class SessionOver(Exception):
    """The session ended by logout, time-out or from elsewhere."""


@dataclass(slots=True)
class Session:
    """A running session as this process knows it."""

    token: str
    access_token: str
    lapses_at: float
    asked_at: float
    must_change_password: bool
    one_time_password_due: bool
    me: Any = None
    """The newest answer of identity's /me, for the time when identity is away."""


class Sessions:
    """Takes access tokens from identity and keeps them for a minute."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self._known: OrderedDict[str, Session] = OrderedDict()

    async def open(self, token: str, headers: Mapping[str, str], *, anew: bool = False) -> Session:
        """The session behind a cookie, with an access token that works. Raises SessionOver, Unavailable."""
        known, now = self._known.get(token), time.time()
        trusted = known is not None and not known.one_time_password_due  # another process may have taken it meanwhile
        if known is not None and trusted and not anew and now - known.asked_at < FRESH_SECONDS:
            return known
        try:
            given = await self._gateways.ask(
                Gateway.IDENTITY, "POST", "/access-tokens", {**headers, "X-Session-Token": token}
            )
        except Unavailable:
            if known is not None and not anew and now < known.lapses_at - 5:
                return known  # identity is away; the other gateways still take this token
            raise
        except Refused as refusal:
            self.forget(token)
            raise SessionOver from refusal
        return self.keep(token, given)

    def keep(self, token: str, given: Any) -> Session:
        """Remember an answer with an access token."""
        lapses_at = datetime.fromisoformat(given["expires_at"]).timestamp()
        session = Session(
            token,
            given["access_token"],
            lapses_at,
            time.time(),
            given["password_change_required"],
            given["one_time_password_required"],
        )
        self._known[token] = session
        self._known.move_to_end(token)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return session

    def forget(self, token: str) -> None:
        """Let go of what is known about a session."""
        self._known.pop(token, None)

    def clear(self) -> None:
        """Let go of everything; the next requests ask identity anew."""
        self._known.clear()
