"""accounts on one page."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from accounts.api import account_checks, bank_accounts, banks, profiles
from accounts.command_line import show_policyholder, work_on_banks, work_on_changes
from accounts.listeners.applications import applications
from accounts.listeners.clock import apply_due_changes
from accounts.listeners.partner import partner
from chassis.service import Service
from chassis.settings import Settings
from contracts.accounts import AccessRefused, OperatorActed
from contracts.caller import Caller
from contracts.identity import AccessRevoked


class AccountsSettings(Settings):
    """Settings of accounts, from ACCOUNTS_… variables."""

    model_config = SettingsConfigDict(env_prefix="ACCOUNTS_", extra="ignore", hide_input_in_errors=True)


service = Service(
    name="accounts",
    title="保険利用者情報・口座情報",
    caller=Caller,
    settings=AccountsSettings,
    migrations=Path(__file__).parent / "migrations",
    routes=[profiles.routes, bank_accounts.routes, account_checks.routes, banks.routes],
    listeners=[partner, applications],
    tasks=[apply_due_changes],
    revocations=AccessRevoked,
    refusal=AccessRefused,
    deed=OperatorActed.at_the_terminal,
    commands={"policyholder": show_policyholder, "changes": work_on_changes, "banks": work_on_banks},
)
