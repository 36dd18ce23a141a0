"""One database and two roles for each service: the owner migrates, the service may only what migrations grant."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

LOCK = 7_302_211  # any number nobody else uses: one preparation at a time on a server


@dataclass(frozen=True)
class DatabaseUrls:
    """How a service reaches its database: `owner` for migrations, `runtime` for everything else."""

    owner: str
    runtime: str


def random_secret(_role: str) -> str:
    """A password nobody needs to remember."""
    return secrets.token_urlsafe(24)


async def prepare_database(
    superuser_url: str, service: str, prefix: str = "", secret: Callable[[str], str] = random_secret
) -> DatabaseUrls:
    """Make database `<prefix><service>` and its roles `…_owner` and `…`, or set their passwords anew when they exist.

    Nobody else may connect, and the runtime role can create nothing. `secret` gives a role's password."""
    name, owner = prefix + service, f"{prefix}{service}_owner"
    passwords = {role: secret(role) for role in (owner, name)}
    server = await asyncpg.connect(superuser_url)
    try:
        await server.execute(f"SELECT pg_advisory_lock({LOCK})")
        for role, password in passwords.items():
            known = await server.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            await server.execute(f"{verb} ROLE {quoted(role)} LOGIN PASSWORD {literal(password)}")
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await server.execute(
                f"CREATE DATABASE {quoted(name)} OWNER {quoted(owner)} "
                "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
            )
        await server.execute(f"REVOKE ALL ON DATABASE {quoted(name)} FROM PUBLIC")
        await server.execute(f"GRANT CONNECT ON DATABASE {quoted(name)} TO {quoted(name)}")
    finally:
        await server.close()
    await close_schema(with_database(superuser_url, name), name, owner)
    return DatabaseUrls(
        owner=with_login(with_database(superuser_url, name), owner, passwords[owner]),
        runtime=with_login(with_database(superuser_url, name), name, passwords[name]),
    )


async def close_schema(url: str, runtime: str, owner: str) -> None:
    """The schema belongs to the owner; the runtime role may look into it and no more."""
    database = await asyncpg.connect(url)
    try:
        await database.execute(f"ALTER SCHEMA public OWNER TO {quoted(owner)}")
        await database.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await database.execute(f"GRANT USAGE ON SCHEMA public TO {quoted(runtime)}")
    finally:
        await database.close()


async def create_database(superuser_url: str, prefix: str, template: str = "template0") -> str:
    """A new empty database (or a copy of `template`, which nobody may be using) with a random end to its name.

    Returns the superuser's URL of it."""
    name = f"{prefix}_{secrets.token_hex(4)}"
    server = await asyncpg.connect(superuser_url)
    try:
        await server.execute(f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)}")
    finally:
        await server.close()
    return with_database(superuser_url, name)


async def drop_database(superuser_url: str, name: str) -> None:
    """Remove a database whoever is connected, and the roles `prepare_database` made for it; a missing one is fine."""
    server = await asyncpg.connect(superuser_url)
    try:
        await server.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
        for role in (name, f"{name}_owner"):
            await server.execute(f"DROP ROLE IF EXISTS {quoted(role)}")
    finally:
        await server.close()


def with_database(url: str, name: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(url)._replace(path="/" + quote(name)))


def with_login(url: str, user: str, password: str) -> str:
    """The same server and database, another login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"))


def quoted(identifier: str) -> str:
    """An SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string; CREATE ROLE takes no parameters."""
    return "'" + text.replace("'", "''") + "'"
