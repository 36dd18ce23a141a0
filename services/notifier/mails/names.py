"""The mails that nobody commands (the notifier writes them when it hears what happened), and who reads which mail."""

from enum import StrEnum

from contracts.notifier import Template


class OwnTemplate(StrEnum):
    """Names beside those of `contracts.notifier.Template`."""

    APPLICATION_RECEIVED = "application_received"
    """申込受付 (R200, R201)."""
    APPLICATION_COMPLETED = "application_completed"
    """手続完了 (R202)."""
    APPLICATION_REJECTED = "application_rejected"
    """NEXI or the carrying service refused."""
    ACCOUNT_SECURITY = "account_security"
    """口座登録・変更・削除 (P7)."""


TO_THE_ADMINISTRATOR = (*OwnTemplate, Template.INITIAL_PASSWORD, Template.PASSWORD_RESET)
"""What reaches the administrator, whoever it is about; every other mail is for the user whom it is about."""
