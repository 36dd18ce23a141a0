"""Makes the passwords and keys of a deployment, one file each, for compose and Kubernetes: once, then kept."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

SERVICES = ("identity", "accounts", "applications", "notifier", "audit")
OPERATOR = "operator"  # the broker user that may declare; in RabbitMQ's own configuration
Group = dict[str, str | bytes]  # file name → content; what one password is part of


def main(arguments: list[str] | None = None) -> int:
    """Write what is missing. To change a password, delete its files and start again."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.credentials", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files go, e.g. deploy/secrets; never commit it")
    parser.add_argument("--postgres", default="postgres", metavar="HOST", help="PostgreSQL (default: %(default)s)")
    parser.add_argument("--broker", default="rabbitmq", metavar="HOST", help="RabbitMQ (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    made = list(write(chosen.folder, chosen.postgres, chosen.broker))
    print(f"{len(made)} files made in {chosen.folder}: {', '.join(made) or 'all were there'}", file=sys.stderr)
    return 0


def write(folder: Path, postgres: str, broker: str) -> Iterator[str]:
    """The files that were made, each whole or not at all, so that a run that was cut off is completed by the next.

    Only their owner enters the folder; in a container any user can read what is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for group in groups(postgres, broker):
        if all((folder / name).exists() for name in group):
            continue
        for name in group:  # an end in the middle must leave no file of another password that looks complete
            (folder / name).unlink(missing_ok=True)
        for name, content in group.items():
            fresh = folder / f".{name}"
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
            fresh.chmod(0o444)
            fresh.replace(folder / name)
            yield name


def groups(postgres: str, broker: str) -> Iterator[Group]:
    """Every password there is, each with the files that contain it; hexadecimal, so that URLs and shells take it."""

    def password() -> str:
        return secrets.token_hex(24)

    yield {"postgres_password": password()}
    yield {"portal_secret": password()}
    yield {"identity.key": secrets.token_bytes(32)}  # where each process has a folder of its own: the one key for all
    operators = password()
    yield {
        "rabbitmq.conf": f"default_user = {OPERATOR}\ndefault_pass = {operators}\n",
        "management_url": f"http://{OPERATOR}:{operators}@{broker}:15672",
    }
    yield {"applications_nexi_url": f"amqp://nexi:{password()}@{broker}/nexi"}
    for service in SERVICES:
        for role in (service, f"{service}_owner"):
            yield {f"{role}_database_url": f"postgresql://{role}:{password()}@{postgres}/{service}"}
        login = f"amqp://{service}:{password()}@{broker}"
        yield {f"{service}_broker_url": f"{login}/platform", f"{service}_partner_broker_url": f"{login}/nexi"}


if __name__ == "__main__":
    sys.exit(main())
