"""audit on one page: what happened, and who did it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from audit.api import downloads, operations, own_history, searches
from audit.api.streams import Exports
from audit.listeners.events import events, nexi
from audit.listeners.upkeep import keep_partitions
from audit.months import Months
from audit.proof.keys import Signer
from chassis.service import Service
from chassis.settings import Settings
from chassis.sql import Database
from contracts.audit import AccessRefused
from contracts.caller import Caller
from contracts.identity import AccessRevoked


class AuditSettings(Settings):
    """Settings of audit, from AUDIT_… variables."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_", extra="ignore", hide_input_in_errors=True)


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
    ],
    listeners=[events, nexi],
    tasks=[keep_partitions],
    provides=provide,
    revocations=AccessRevoked,
    refusal=AccessRefused,
)
