"""Applications on one page: what somebody asked for, and what became of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from applications import tasks
from applications.api import attachments, drafts, lists, notices, operations, partners, procedures, submissions
from applications.command_line import nexi as nexi_events
from applications.command_line import stuck
from applications.listeners import accounts, nexi
from applications.settings import Clock, Settings
from applications.store.outcomes import Outcomes
from chassis.service import Service
from chassis.sql import Database
from contracts.applications import AccessRefused, ApplicationSubmitted, OperatorActed
from contracts.caller import Caller
from contracts.identity import AccessRevoked


@asynccontextmanager
async def provide(settings: Settings, _database: Database) -> AsyncIterator[Mapping[type, object]]:
    """What handlers, listeners and tasks may ask for by type."""
    yield {Clock: Clock(settings), Outcomes: Outcomes(settings.database_url)}


service = Service(
    name="applications",
    title="Web applications: every procedure from draft to completion",
    caller=Caller,
    settings=Settings,
    migrations=Path(__file__).parent / "migrations",
    routes=[
        procedures.routes, drafts.routes, submissions.routes, lists.routes, attachments.routes, notices.routes,
        partners.routes, operations.routes,
    ],
    listeners=[accounts.listeners, nexi.listeners],
    tasks=[tasks.hear_outcomes, tasks.match_early_words, tasks.keep_house],
    provides=provide,
    outlets={"nexi.applications": [ApplicationSubmitted]},
    revocations=AccessRevoked,
    refusal=AccessRefused,
    deed=OperatorActed.at_the_terminal,
    commands={"stuck": stuck, "nexi": nexi_events},
)  # fmt: skip
