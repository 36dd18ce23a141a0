"""identity on one page: who somebody is, and what they may do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.service import Service
from chassis.sql import Database
from contracts.caller import Caller
from contracts.identity import AccessRefused, AccessRevoked, OperatorActed
from contracts.notifier import SendLetter, SendMail
from identity.api import (
    administrator,
    applicant_changes,
    applicant_imports,
    applicants,
    email_changes,
    keys,
    logins,
    me,
    menu,
    one_time_passwords,
    password_resets,
    passwords,
    permissions,
    reissues,
    sessions,
)
from identity.api.authentication import Authentication
from identity.commands import COMMANDS
from identity.hashing import Hasher
from identity.keyring import Keyring
from identity.listeners import mails, nexi, profiles, sealing_keys
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.tidying import tidy


@asynccontextmanager
async def provide(settings: IdentitySettings, database: Database) -> AsyncIterator[Mapping[type, object]]:
    """What handlers may ask for by type."""
    secrets = Secrets.load(settings.state)
    keyring = Keyring(database, secrets)
    await keyring.prepare()
    hasher = Hasher(settings)
    try:
        yield {
            Secrets: secrets,
            Keyring: keyring,
            Hasher: hasher,
            Authentication: Authentication(database, settings, hasher, secrets),
            reissues.Bell: reissues.Bell(),
        }
    finally:
        hasher.close()


service = Service(
    name="identity",
    title="認証・ユーザー管理 (identity)",
    caller=Caller,
    settings=IdentitySettings,
    migrations=Path(__file__).parent / "migrations",
    routes=[
        logins.routes,
        sessions.routes,
        keys.routes,
        me.routes,
        passwords.routes,
        reissues.routes,
        one_time_passwords.routes,
        menu.routes,
        administrator.routes,
        email_changes.routes,
        applicants.routes,
        applicant_changes.routes,
        password_resets.routes,
        applicant_imports.routes,
        permissions.routes,
    ],
    listeners=[nexi.listeners, profiles.listeners, sealing_keys.listeners, mails.listeners],
    tasks=[reissues.carry_out, tidy],
    provides=provide,
    commands=COMMANDS,
    sends=[SendMail, SendLetter],
    revocations=AccessRevoked,
    refusal=AccessRefused,
    deed=OperatorActed.at_the_terminal,
)
