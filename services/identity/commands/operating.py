"""What an operator's command stands on: the database, and the word to the broker, also while the service is down."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.amqp.connection import persist
from chassis.amqp.relay import Relay
from chassis.command_line import ask_who
from chassis.revocations import Revocations
from chassis.sql import Database, Tx
from contracts.actions import Operator
from contracts.identity import OperatorActed
from identity.keyring import Keyring
from identity.secrets import Secrets, WrongKey
from identity.settings import IdentitySettings
from identity.store import operators

PATIENCE_SECONDS = 5.0

Run = Callable[[IdentitySettings, Namespace], Awaitable[int]]


class Refused(Exception):
    """The command cannot be carried out; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class Operating:
    """The means of one command, and who gave it."""

    settings: IdentitySettings
    database: Database
    secrets: Secrets
    keyring: Keyring
    operator: Operator
    revocations: Revocations

    def record(self, tx: Tx, command: str, about_user_id: str | None = None, code: str = "") -> None:
        """Every command is in the security trail; of the company it was about, if any."""
        operator = self.operator.model_copy(update={"policyholder_code": code})
        tx.emit(OperatorActed(operator=operator, command=command, about_user_id=about_user_id))

    async def in_force(self, event_id: UUID) -> datetime | None:
        """See Revocations.in_force; waits a little until this process knows who else is there."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.revocations.caught_up.wait()
        except TimeoutError:
            pass
        return await self.revocations.in_force(event_id, PATIENCE_SECONDS)


@asynccontextmanager
async def operating(settings: IdentitySettings, name: str) -> AsyncIterator[Operating]:
    """Stand ready for one command by `name`; what it says is published at the end.

    Raises WrongKey where the database's key file is not: a password made with another one never opens, and a signing
    key sealed with it would stop every process of the service.
    """
    database = await Database.connect(settings.database_url, source="identity", size=4)
    revocations = Revocations(f"identity-command@{settings.member}", settings.broker_url)
    relay = Relay(database, settings.database_url, {"": settings.broker_url})
    work = [asyncio.create_task(relay.run()), asyncio.create_task(persist("access", revocations.run))]
    operator = Operator.at_the_terminal(name)
    try:
        secrets = Secrets.load(settings.state)
        keyring = Keyring(database, secrets)
        await keyring.prepare()
        yield Operating(settings, database, secrets, keyring, operator, revocations)
        await _published(database)
    finally:
        await revocations.leave()
        for task in work:
            task.cancel()
        await asyncio.wait(work)
        await database.close()


async def _published(database: Database) -> None:
    """Wait a little until everything said has left; what has not, the running service carries."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await operators.unpublished(database):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass


def command(parser: ArgumentParser, work: Callable[[Operating, Namespace], Awaitable[Any]]) -> Run:
    """Let `work` run with its means; what it answers is printed as JSON, a text as it is."""
    ask_who(parser)

    async def run(settings: IdentitySettings, chosen: Namespace) -> int:
        try:
            async with operating(settings, chosen.by) as means:
                answer = await work(means, chosen)
        except (Refused, WrongKey) as refusal:
            print(refusal, file=sys.stderr)  # noqa: T201 - a command speaks to its terminal
            return 1
        shown = answer if isinstance(answer, str) else json.dumps(answer, default=str, ensure_ascii=False, indent=2)
        print(shown)  # noqa: T201 - see above
        return 0

    return run
