"""notifier on one page: what people are told, and what became of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.service import Service
from chassis.sql import Database
from contracts.caller import Caller
from contracts.identity import AccessRevoked
from contracts.notifier import AccessRefused, OperatorActed
from notifier.api import bounces, company, mails, notices, previews
from notifier.commands import letters as letter_commands
from notifier.commands import mails as mail_commands
from notifier.commands import previews as preview_commands
from notifier.keys import KeyRing
from notifier.letters.spool import Spool
from notifier.listeners import applications as application_listeners
from notifier.listeners import letters as letter_listeners
from notifier.listeners import mails as mail_listeners
from notifier.listeners import notices as notice_listeners
from notifier.sending.senders import send_mails
from notifier.settings import Settings
from notifier.tasks import keep_house, publish_keys


@asynccontextmanager
async def provide(settings: Settings, _database: Database) -> AsyncIterator[Mapping[type, object]]:
    """What handlers may ask for by type."""
    yield {KeyRing: KeyRing.of(settings), Spool: Spool.of(settings)}


service = Service(
    name="notifier",
    title="通知 (notifier)",
    caller=Caller,
    settings=Settings,
    migrations=Path(__file__).parent / "migrations",
    routes=[notices.routes, company.routes, mails.routes, bounces.routes, previews.routes],
    listeners=[
        mail_listeners.listeners,
        letter_listeners.listeners,
        application_listeners.listeners,
        notice_listeners.listeners,
    ],
    tasks=[send_mails, publish_keys, keep_house],
    provides=provide,
    revocations=AccessRevoked,
    refusal=AccessRefused,
    deed=OperatorActed.at_the_terminal,
    commands={
        "preview": preview_commands.define,
        "mails": mail_commands.define,
        "letters": letter_commands.define,
    },
)
