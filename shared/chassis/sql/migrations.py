"""Brings a database to the newest shape: numbered .sql files, forward only, each in its own transaction."""

import hashlib
from pathlib import Path
from typing import Any

import asyncpg

from chassis.sql.troubles import reaching

OWN = Path(__file__).parent.parent / "migrations"
LOCK = 0x6D69_6772  # 'migr': one migration at a time, however many processes start it


class ChangedMigration(Exception):
    """A migration that was applied has been edited since; write a new one instead."""


async def migrate(owner_dsn: str, role: str, folder: Path) -> list[str]:
    """Apply what is missing of the chassis' and the service's migrations; answers the names applied.

    `role` is the service's runtime role; it may use the chassis' tables, the rest each migration grants by itself.
    Nobody but it and the owner may connect afterwards, however the database was made (law 2). Raises Unreachable.
    """
    with reaching(owner_dsn):
        connection = await asyncpg.connect(owner_dsn, timeout=10)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute("set lock_timeout = '5s'")
        await connection.execute(
            "create table if not exists applied_migrations"
            " (name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
        done = {row["name"]: row["checksum"] for row in await connection.fetch("select * from applied_migrations")}
        applied = []
        for name, path in [*_files("chassis", OWN), *_files(folder.parent.name, folder)]:
            if await _apply(connection, name, path, done.get(name)):
                applied.append(name)
        await _grant_chassis_tables(connection, role)
        await _close_doors(connection, role)
        return applied
    finally:
        await connection.close()


def _files(prefix: str, folder: Path) -> list[tuple[str, Path]]:
    return [(f"{prefix}/{path.name}", path) for path in sorted(folder.glob("[0-9]*.sql"))]


async def _apply(connection: Any, name: str, path: Path, applied: str | None) -> bool:
    text = path.read_text(encoding="utf-8")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if applied is not None:
        if applied != checksum:
            raise ChangedMigration(f"{name} was edited after it had been applied; add a new migration instead")
        return False
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("insert into applied_migrations (name, checksum) values ($1, $2)", name, checksum)
    return True


async def _grant_chassis_tables(connection: Any, role: str) -> None:
    quoted = _quoted(role)
    await connection.execute(
        f"""
        grant select, insert, update, delete on outbox, inbox, parked to {quoted};
        grant select, insert, update on relay_positions to {quoted};
        grant select on applied_migrations to {quoted};
        """
    )


async def _close_doors(connection: Any, role: str) -> None:
    database, quoted = _quoted(await connection.fetchval("select current_database()")), _quoted(role)
    await connection.execute(
        f"""
        revoke all on database {database} from public;
        grant connect on database {database} to {quoted};
        revoke all on schema public from public;
        grant usage on schema public to {quoted};
        """
    )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
