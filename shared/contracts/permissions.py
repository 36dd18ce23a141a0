"""What a person may be allowed: roles, the administrator's three axes for applicants, and what a route may ask for."""

from enum import StrEnum


class Role(StrEnum):
    """The kinds of Web user (ch3 §1), and those who are not one."""

    ADMINISTRATOR = "administrator"
    APPLICANT = "applicant"
    GROUP_VIEWER = "group_viewer"
    OPERATOR = "operator"
    PARTNER = "partner"


class Entry(StrEnum):
    """入力・申込権限 (R76 to R78)."""

    NONE = "none"
    ENTER = "enter"
    ENTER_AND_APPLY = "enter_and_apply"


class ContractData(StrEnum):
    """情報データ参照権限 (R79 to R82)."""

    NONE = "none"
    LISTED_RIDERS = "listed_riders"
    ALL = "all"


class ApplicationData(StrEnum):
    """申込データ参照権限 (R83 to R86)."""

    NONE = "none"
    OWN = "own"
    ALL = "all"


ENTRY_LABELS = {
    Entry.NONE: "権限なし",
    Entry.ENTER: "入力権限のみ",
    Entry.ENTER_AND_APPLY: "入力+申込権限",
}
CONTRACT_DATA_LABELS = {
    ContractData.NONE: "情報データ参照不可",
    ContractData.ALL: "情報データ参照制限なし",
    ContractData.LISTED_RIDERS: "対象特約のみ参照可能",
}
APPLICATION_DATA_LABELS = {
    ApplicationData.NONE: "申込データ参照不可",
    ApplicationData.OWN: "ログインユーザーによる申込のみ参照可能",
    ApplicationData.ALL: "申込データ参照制限なし",
}


class Permission(StrEnum):
    """What a route asks for (`needs=`). identity works out which of these a session has; gateways only compare."""

    CHANGE_PASSWORD = "change_password"
    """All that a session on a temporary password may do (L5)."""
    USE = "use"
    """Any signed-in user of a policyholder: one's own data, the company's accounts and profile, notices."""
    ENTER = "enter"
    """Create, confirm and save drafts (P3)."""
    APPLY = "apply"
    """Submit drafts (P3)."""
    SEE_APPLICATIONS = "see_applications"
    """List and resume Web applications; whose, the application-data axis says (P4)."""
    SEE_CONTRACTS = "see_contracts"
    """Concluded contracts; which, the contract-data axis says. For the front ends that show contracts."""
    ADMINISTER = "administer"
    """The five administrator functions (R68 to R73, W3)."""
    OPERATE = "operate"
    """NEXI's operators of this platform."""
    REPORT = "report"
    """NEXI's systems that report over HTTP what others say over AMQP."""
