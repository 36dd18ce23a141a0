"""Sessions: begun by a login, kept alive by use, ended by logout, time or somebody else."""

from datetime import datetime, timedelta
from typing import Any

from chassis.sql import Reader, Tx

ALIVE = "ended_at is null and seen_at > now() - $2::interval and began_at > now() - $3::interval"
SHOWN = """
    session_id, user_id, restricted, began_at, last_login_at, stepped_up_at,
    extract(epoch from began_at + $3::interval - now())::float8 as seconds_left
"""


async def begin(
    tx: Tx,
    *,
    session_id: str,
    token_hash: bytes,
    user_id: str,
    restricted: bool,
    last_login_at: datetime | None,
    stepped_up_at: datetime | None,
    source_address: str,
    user_agent: str,
) -> datetime:
    """Write a new session; answers when it began."""
    began_at = await tx.fetchval(
        """
        insert into sessions (session_id, token_hash, user_id, restricted, last_login_at, stepped_up_at,
                              source_address, user_agent)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning began_at
        """,
        session_id, token_hash, user_id, restricted, last_login_at, stepped_up_at, source_address, user_agent,
    )  # fmt: skip
    assert isinstance(began_at, datetime)
    return began_at


async def touch(reader: Reader, token_hash: bytes, idle: timedelta, most: timedelta) -> Any:
    """The living session of a token, from now on seen now; None when it ended or timed out (L3).

    Rows: session_id, user_id, restricted, began_at, last_login_at, stepped_up_at, seconds_left (of the absolute limit).
    """
    return await reader.fetchrow(
        f"""
        update sessions set seen_at = now() where token_hash = $1 and {ALIVE}
        returning {SHOWN}
        """,
        token_hash, idle, most,
    )  # fmt: skip


async def alive(reader: Reader, session_id: str, idle: timedelta, most: timedelta) -> Any:
    """The same by public handle, without touching it."""
    return await reader.fetchrow(
        f"""
        select {SHOWN} from sessions where session_id = $1 and {ALIVE}
        """,
        session_id, idle, most,
    )  # fmt: skip


async def of_user(reader: Reader, user_id: str, idle: timedelta, most: timedelta) -> list[Any]:
    """The living sessions of a user, newest first."""
    return await reader.fetch(
        f"""
        select session_id, began_at, seen_at, source_address, user_agent, stepped_up_at is not null as stepped_up
          from sessions where user_id = $1 and {ALIVE} order by began_at desc, session_id
        """,
        user_id, idle, most,
    )  # fmt: skip


async def end_by_token(tx: Tx, token_hash: bytes, reason: str) -> Any:
    """End the session of a token; its session_id and user_id, or None when it had ended."""
    return await tx.fetchrow(
        """
        update sessions set ended_at = now(), end_reason = $2 where token_hash = $1 and ended_at is null
        returning session_id, user_id
        """,
        token_hash, reason,
    )  # fmt: skip


async def end(tx: Tx, user_id: str, session_id: str, reason: str) -> bool:
    """End one session of a user; whether it was there to be ended."""
    return bool(
        await tx.execute(
            "update sessions set ended_at = now(), end_reason = $3"
            " where user_id = $1 and session_id = $2 and ended_at is null",
            user_id, session_id, reason,
        )
    )  # fmt: skip


async def end_all(tx: Tx, user_id: str, reason: str, but: str | None = None) -> list[str]:
    """End all sessions of a user, or all `but` one; answers the handles of those that ended."""
    rows = await tx.fetch(
        """
        update sessions set ended_at = now(), end_reason = $2
         where user_id = $1 and ended_at is null and session_id is distinct from $3
        returning session_id
        """,
        user_id, reason, but,
    )  # fmt: skip
    return [row["session_id"] for row in rows]


async def step_up(tx: Tx, session_id: str) -> None:
    """The one-time password was entered in this session."""
    await tx.execute("update sessions set stepped_up_at = now() where session_id = $1", session_id)


async def forget(tx: Tx, after: timedelta) -> None:
    """Delete what ended, or was last seen, that long ago."""
    await tx.execute(
        "delete from sessions where ended_at < now() - $1::interval or seen_at < now() - $1::interval", after
    )
