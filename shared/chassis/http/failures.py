"""What an unexpected exception becomes: a problem for the caller and a log entry for us, both without any data."""

import socket
import traceback
from typing import Any, Final

import asyncpg

from chassis import sql
from chassis.http.problems import Busy, InternalError, Problem

_PASSING_SQLSTATES: Final = ("08", "25006", "40", "53", "55P03", "57")
"""No connection, a standby that cannot write, conflicts, no resources, a lock not free, the server going away."""


def problem_of(error: Exception) -> Problem:
    """Busy when the same request may well succeed shortly, else InternalError."""
    return Busy() if passes(error) else InternalError()


def passes(error: BaseException) -> bool:
    """Whether the cause is one that goes away by itself: a timeout, a lost connection, a conflict, a full pool."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_PASSING_SQLSTATES)
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return "clos" in str(error)  # "connection is closed", "pool is closing": asyncpg has no class for it
    # asyncpg's internal error: the connection was just told that it ends, and has not noticed yet.
    return isinstance(error, asyncpg.InternalClientError | sql.Busy | TimeoutError | ConnectionError | socket.gaierror)


def describe(error: BaseException) -> dict[str, Any]:
    """Class, place, PostgreSQL's code and constraint; never the text, which may quote what somebody sent or stored."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    told: dict[str, Any] = {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    for name in ("sqlstate", "constraint_name", "table_name"):
        if value := getattr(error, name, None):
            told[name] = value
    if cause := error.__cause__:
        told["cause"] = describe(cause)
    return told
