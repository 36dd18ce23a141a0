"""What becomes of an event that is not handled: tried again or set aside, and why, in words that quote nothing."""

import asyncpg

from chassis.amqp.listeners import Park
from chassis.messages import Envelope, Unreadable


def verdict(error: Exception) -> tuple[str, bool, str | None]:
    """Reason, whether to try again, and the key it waits for. Never the text of a database error: it quotes values."""
    if isinstance(error, Park):
        return error.reason, error.retry, error.key
    if isinstance(error, Unreadable):
        return str(error), False, None
    if isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__} {error.sqlstate}", True, None
    return f"{type(error).__name__} in {_place(error)}", True, None


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "?" if traceback is None else f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"


def foreign(envelope: Envelope, sender: str) -> str | None:
    """Why this event was not said by the one it claims to be from; the broker vouches for the sender (T13)."""
    if sender == envelope.type.partition(".")[0]:
        return None
    return "source: the sender may not speak for this service"
