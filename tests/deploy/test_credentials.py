"""A deployment's passwords are made once, kept apart, and set in PostgreSQL whenever they are made anew."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from chassis.sql import migrate
from deploy import credentials
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.state import ROOT, State
from tests.support.platform import services


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_there_stays_and_what_was_deleted_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    credentials.main([str(folder)])
    first = contents(folder)
    assert folder.stat().st_mode & 0o777 == 0o700 and len(set(first.values())) == len(first)
    credentials.main([str(folder)])
    assert contents(folder) == first
    (folder / "audit_broker_url").unlink()
    credentials.main([str(folder)])
    changed = {name for name, content in contents(folder).items() if content != first[name]}
    assert changed == {"audit_broker_url", "audit_partner_broker_url"}, "both contain the password"


@pytest.mark.parametrize("whole", [0, 1])
def test_a_run_that_is_cut_off_is_completed_by_the_next(
    whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials.main([str(tmp_path)])
    (tmp_path / "audit_broker_url").unlink()
    write, written = Path.write_bytes, itertools.count()

    def cut(path: Path, content: bytes) -> int:
        if next(written) == whole:
            raise KeyboardInterrupt
        return write(path, content)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "write_bytes", cut)
        credentials.main([str(tmp_path)])
    credentials.main([str(tmp_path)])
    files = ("audit_broker_url", "audit_partner_broker_url")
    password, other = (urlsplit((tmp_path / name).read_text()).password for name in files)
    assert password and password == other


@pytest.fixture
def server(state: State) -> Iterator[Postgres]:
    server = Postgres(state, Ports(state, settings={}).port("postgres"))
    server.start()
    yield server
    server.stop()


def prepare(server: Postgres, folder: Path) -> None:
    """`databases.sh`, as the container of compose.yaml runs it."""
    programs = {"PATH": f"{find_binaries(server.state)}:{os.environ['PATH']}", "CREDENTIALS_DIRECTORY": str(folder)}
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"}
    script = ["sh", str(ROOT / "deploy" / "kubernetes" / "servers" / "databases.sh")]
    done = subprocess.run(script, env=programs | place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


async def test_databases_and_roles_are_made_and_changed_passwords_are_set(server: Postgres, tmp_path: Path) -> None:
    credentials.main([str(tmp_path), f"--postgres=127.0.0.1:{server.port}"])
    (tmp_path / "postgres_password").chmod(0o600)
    (tmp_path / "postgres_password").write_text(server.state.secret("postgres"))
    prepare(server, tmp_path)
    for service in credentials.SERVICES:
        for role in (service, f"{service}_owner"):
            connection = await asyncpg.connect((tmp_path / f"{role}_database_url").read_text())
            told = await connection.fetchval("select current_user || ' in ' || current_database()")
            assert told == f"{role} in {service}"
            await connection.close()
    await the_owner_needs_nobody_to_migrate(tmp_path)
    await a_backup_is_restored_by_the_owner(server, tmp_path)
    old = (tmp_path / "audit_database_url").read_text()
    (tmp_path / "audit_database_url").unlink()
    credentials.main([str(tmp_path), f"--postgres=127.0.0.1:{server.port}"])
    prepare(server, tmp_path)
    await (await asyncpg.connect((tmp_path / "audit_database_url").read_text())).close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(old)


async def the_owner_needs_nobody_to_migrate(folder: Path) -> None:
    audit, accounts = ((folder / f"{name}_database_url").read_text() for name in ("audit", "accounts"))
    await migrate((folder / "audit_owner_database_url").read_text(), "audit", services()["audit"].migrations)
    connection = await asyncpg.connect(audit)
    assert await connection.fetchval("select count(*) from outbox") == 0
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(accounts.removesuffix("/accounts") + "/audit")


async def a_backup_is_restored_by_the_owner(server: Postgres, folder: Path) -> None:
    """As the runbook has it: dump, an empty database of the same name, restore, migrate."""
    owner, programs = (folder / "audit_owner_database_url").read_text(), find_binaries(server.state)
    dump = str(folder / "audit.dump")
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", owner], check=True)
    superuser = await asyncpg.connect(server.url)
    await superuser.execute("drop database audit with (force)")
    await superuser.close()
    prepare(server, folder)
    restore = [programs / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={owner}", dump]
    subprocess.run(restore, check=True)
    assert await migrate(owner, "audit", services()["audit"].migrations) == [], "everything was in the backup"
    connection = await asyncpg.connect((folder / "audit_database_url").read_text())
    assert await connection.fetchval("select count(*) from outbox") == 0
    await connection.close()
