"""Which errors mean that the database is away, which that the same transaction may succeed at once, and what an
operator is told who starts something without a database."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from yarl import URL

from chassis.sql.leases import Busy

TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

DATABASE_AWAY = (
    OSError,
    Busy,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was just told that it ends, and has not noticed yet
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process stood still, and so lost what it held
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)


class Unreachable(ConnectionError):
    """The database cannot be connected to; the message names it and the reason, and no password."""


@contextmanager
def reaching(dsn: str) -> Iterator[None]:
    """What goes wrong inside becomes Unreachable: for the first connection of a process, whose operator is watching."""
    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        url = URL(dsn)
        where = f"{url.host}:{url.port or 5432}{url.path}"
        raise Unreachable(f"The database {where} cannot be reached: {str(error) or type(error).__name__}") from error
