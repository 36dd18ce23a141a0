"""One pool of connections, and transactions that write their messages to the outbox with the commit."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pydantic_core

from chassis import trace
from chassis.messages import Message, new_id
from chassis.sql.leases import Lease, Leases
from chassis.sql.troubles import reaching

ACQUIRE_SECONDS = 2.0
KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2"}
"""Settings of a session that holds a lock: PostgreSQL ends it 20 s after its client's machine has vanished."""
SESSION = {"jit": "off", "idle_in_transaction_session_timeout": "15s", **KEEPALIVES}
"""Of every session: whoever vanishes in a transaction leaves its row locks to nobody, not even where something between
us keeps the connection alive. No transaction of ours does nothing for seconds."""
STATEMENT_SECONDS = 3.5  # a frozen database must not keep a customer waiting for more than five


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Nothing: we leave no session state behind, and the query would double the round trips of a small request."""
        return ""


class Tx:
    """One transaction. What it `emit`s leaves with the commit, or not at all.

    Each statement may take `seconds` (none: the pool's); who uses the `connection` itself, for COPY, passes them on.
    """

    def __init__(self, connection: Any, statement_seconds: float | None = None) -> None:
        self.connection = connection
        self.seconds = statement_seconds
        self.emitted: list[tuple[UUID, Message]] = []

    def emit(self, message: Message) -> UUID:
        """Say something with the commit; answers the id under which it will be known."""
        event_id = new_id()
        self.emitted.append((event_id, message))
        return event_id

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """All rows."""
        return list(await self.connection.fetch(query, *arguments, timeout=self.seconds))

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        """The first row or None."""
        return await self.connection.fetchrow(query, *arguments, timeout=self.seconds)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row or None."""
        return await self.connection.fetchval(query, *arguments, timeout=self.seconds)

    async def execute(self, query: str, *arguments: object) -> int:
        """Run a statement; answers how many rows it touched."""
        return _touched(await self.connection.execute(query, *arguments, timeout=self.seconds))

    async def executemany(self, query: str, arguments: Sequence[Sequence[object]]) -> None:
        """Run a statement once for each list of arguments, in one round trip."""
        await self.connection.executemany(query, arguments, timeout=self.seconds)


class Database:
    """A pool. Single statements run by themselves; everything else goes through `transaction`."""

    def __init__(self, pool: Any, source: str) -> None:
        self._pool = pool
        self._leases = Leases(pool)
        self.source = source
        self.committed: Callable[[], None] = lambda: None

    @classmethod
    async def connect(cls, dsn: str, *, source: str, size: int = 10) -> "Database":
        """Open a pool of at most `size` connections for the producer `source` (the service's name).

        Raises Unreachable when there is no first one.
        """
        record = trace.recorder()

        async def prepare(connection: Any) -> None:
            await _prepare(connection)
            if record is not None:
                connection.add_query_logger(partial(_record_statement, record))

        with reaching(dsn):
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size,
                command_timeout=STATEMENT_SECONDS,
                timeout=5,
                max_inactive_connection_lifetime=300,
                connection_class=_Connection,
                init=prepare,
                server_settings={"application_name": source, **SESSION},
            )
        return cls(pool, source)

    async def close(self) -> None:
        """Wait a little for running statements, then close every connection."""
        try:
            async with asyncio.timeout(5):
                await self._leases.close()
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    def acquire(self, timeout: float = ACQUIRE_SECONDS) -> Lease:
        """A connection of one's own, for COPY (give such statements a timeout of their own).

        Raises Busy when none is free within `timeout` seconds.
        """
        return self._leases.lease(timeout)

    @asynccontextmanager
    async def transaction(
        self, isolation: str = "read_committed", statement_seconds: float | None = None
    ) -> AsyncIterator[Tx]:
        """A transaction; any exception rolls back, the end commits state and outbox together (law 3).

        Each statement may take `statement_seconds`; unless told, as long as somebody at a gateway can wait.
        """
        async with self.acquire() as connection, connection.transaction(isolation=isolation):
            tx = Tx(connection, statement_seconds)
            yield tx
            if tx.emitted:
                await _write_outbox(connection, tx.emitted)
        if tx.emitted:
            self.committed()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """All rows of one statement."""
        async with self.acquire() as connection:
            return list(await connection.fetch(query, *arguments))

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        """The first row of one statement, or None."""
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        async with self.acquire() as connection:
            return await connection.fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> int:
        """Run one statement; answers how many rows it touched."""
        async with self.acquire() as connection:
            return _touched(await connection.execute(query, *arguments))


Reader: TypeAlias = Database | Tx
"""Whatever can answer a question: the pool, or the transaction one is in."""


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=_to_json, decoder=json.loads, format="text")


def _record_statement(record: trace.Record, done: Any) -> None:
    """The span of a statement that belongs to a request or an event; its text has no values in it."""
    current = trace.current()
    if current is not None:
        text = " ".join(done.query.split())
        begun = time.time_ns() - int(done.elapsed * 1e9)
        attributes = {"db.system.name": "postgresql", "db.query.text": text[:500]}
        failed = done.exception is not None
        record(text.partition(" ")[0], "CLIENT", trace.beneath(current), current, begun, attributes, failed=failed)


def _to_json(value: object) -> str:
    return pydantic_core.to_json(value).decode()


async def _write_outbox(connection: Any, emitted: list[tuple[UUID, Message]]) -> None:
    now = datetime.now(UTC)
    await connection.execute(
        """
        insert into outbox (id, exchange, type, occurred_at, traceparent, data)
        select id, exchange, type, $4, $5, data
          from unnest($1::uuid[], $2::text[], $3::text[], $6::text[])
               with ordinality as new (id, exchange, type, data, place)
         order by place
        """,
        [event_id for event_id, _ in emitted],
        [message.exchange for _, message in emitted],
        [message.wire_type() for _, message in emitted],
        now,
        trace.current_traceparent(),
        [message.model_dump_json() for _, message in emitted],
    )


def _touched(tag: str) -> int:
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
