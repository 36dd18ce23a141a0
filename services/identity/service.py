"""identity on one page: who somebody is, and what they may do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.service import Service
from chassis.sql import Database
from contracts.caller import Caller
from contracts.identity import AccessRefused, AccessRevoked
from identity.settings import IdentitySettings


@asynccontextmanager
async def provide(settings: IdentitySettings, database: Database) -> AsyncIterator[Mapping[type, object]]:
    """What handlers may ask for by type."""
    yield {}


service = Service(
    name="identity",
    title="認証・ユーザー管理 (identity)",
    caller=Caller,
    settings=IdentitySettings,
    migrations=Path(__file__).parent / "migrations",
    routes=[],
    listeners=[],
    tasks=[],
    provides=provide,
    revocations=AccessRevoked,
    refusal=AccessRefused,
)
