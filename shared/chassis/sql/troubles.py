"""Which errors mean that the database is away, and which that the same transaction may succeed at once."""

import asyncpg

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
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)
