"""audit on one page: what happened, and who did it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from audit.api import downloads, operations, own_history, proofs, searches, siem, trail
from audit.api.streams import Exports
from audit.command_line import archive, dump, tail, work_on_checkpoints, work_on_gaps
from audit.listeners.checkpoints import sign_checkpoints
from audit.listeners.events import events, nexi
from audit.listeners.gaps import watch_gaps
from audit.listeners.upkeep import keep_partitions
from audit.months import Months
from audit.proof.keys import Signer
from audit.settings import AuditSettings
from chassis.service import Service
from chassis.sql import Database
from contracts.audit import AccessRefused, OperatorActed
from contracts.caller import Caller
from contracts.identity import AccessRevoked


@asynccontextmanager
async def provide(settings: AuditSettings, _database: Database) -> AsyncIterator[Mapping[type, object]]:
    """What handlers may ask for by type."""
    yield {Months: Months(), Exports: Exports(), Signer: Signer.from_folder(settings.state)}


service = Service(
    name="audit",
    title="アクセス履歴",
    caller=Caller,
    settings=AuditSettings,
    migrations=Path(__file__).parent / "migrations",
    routes=[
        searches.history,
        searches.trail,
        downloads.history,
        downloads.trail,
        operations.routes,
        own_history.routes,
        trail.routes,
        siem.routes,
        proofs.routes,
    ],
    listeners=[events, nexi],
    tasks=[keep_partitions, watch_gaps, sign_checkpoints],
    provides=provide,
    revocations=AccessRevoked,
    refusal=AccessRefused,
    deed=OperatorActed.at_the_terminal,
    commands={
        "gaps": work_on_gaps,
        "checkpoints": work_on_checkpoints,
        "dump": dump,
        "archive": archive,
        "tail": tail,
    },
)
