"""Opening a session: the token that is given out once, and what is kept of it."""

import secrets as chance
from dataclasses import dataclass
from datetime import datetime

from chassis.sql import Tx
from identity.secrets import new_token, token_hash
from identity.store import sessions


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that just began."""

    token: str
    session_id: str
    began_at: datetime

    def __repr__(self) -> str:
        return f"Opened(session_id={self.session_id!r})"


async def open_session(
    tx: Tx,
    user_id: str,
    *,
    restricted: bool,
    last_login_at: datetime | None,
    source_address: str,
    user_agent: str,
    stepped_up_at: datetime | None = None,
) -> Opened:
    """Begin a session; `restricted`: it may only change the password (L5)."""
    token, session_id = new_token(), chance.token_hex(16)
    began_at = await sessions.begin(
        tx,
        session_id=session_id,
        token_hash=token_hash(token),
        user_id=user_id,
        restricted=restricted,
        last_login_at=last_login_at,
        stepped_up_at=stepped_up_at,
        source_address=source_address,
        user_agent=user_agent,
    )
    return Opened(token, session_id, began_at)
