"""The user page's menus in the manual's words, and which of them a caller finds open, protected or closed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from contracts.permissions import Permission, Role


class State(StrEnum):
    """How a menu stands for the caller."""

    OPEN = "open"
    PROTECTED = "protected"
    """Opens once the one-time password has been entered (R328)."""
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a menu is not open."""

    ONE_TIME_PASSWORD = "one_time_password"
    NO_PERMISSION = "no_permission"
    NO_COMPREHENSIVE_INSURANCE = "no_comprehensive_insurance"
    PASSWORD_CHANGE_DUE = "password_change_due"
    ALREADY_ENTERED = "already_entered"


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu as the manual lists it; `pattern` is the screen pattern (ch1 2-1) it opens."""

    code: str
    label: str
    needs: Permission
    pattern: int = 1
    exempt: bool = False
    """Usable without the one-time password: exactly three (R325 to R327, O3)."""
    comprehensive_only: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the user page with its number in the manual (ch1 2-1), and what is below it."""

    code: str
    label: str
    number: str
    menus: tuple[Menu, ...]


PASSWORD_CHANGE = "password_change"
ONE_TIME_PASSWORD_ENTRY = "one_time_password_entry"
MANAGEMENT = "management"

SECTIONS = (
    Section("applications", "Web申込状況一覧", "⑦", (
        Menu("application_list", "Web申込状況一覧", Permission.SEE_APPLICATIONS),
    )),
    Section("buyers", "海外商社登録等のお手続き", "⑧", (
        Menu("buyer_procedures", "海外商社登録等のお手続き", Permission.ENTER, exempt=True),
    )),
    Section("insurance", "保険申込み・変更のお手続き", "⑨", (
        Menu("insurance_procedures", "保険申込み・変更のお手続き", Permission.ENTER, pattern=2),
    )),
    Section("guarantee_limits", "個別保証枠のお手続き", "⑩", (
        Menu("guarantee_limit_procedures", "個別保証枠のお手続き", Permission.ENTER),
    )),
    Section("riders", "企業総合保険特約のお手続き", "⑪", (
        Menu("rider_procedures", "企業総合保険特約のお手続き", Permission.ENTER, comprehensive_only=True),
    )),
    Section("accidents", "事故に関するお手続き", "⑫", (
        Menu("accident_procedures", "事故に関するお手続き", Permission.ENTER),
    )),
    Section("electronic_applications", "電子申請のお手続き", "⑬", (
        Menu("electronic_application_procedures", "電子申請のお手続き", Permission.ENTER),
    )),
    Section("premium_estimation", "保険料試算", "⑭", (
        Menu("premium_estimation_detailed", "保険料試算（詳細版）", Permission.USE, pattern=2, exempt=True),
    )),
    Section("inquiries", "各種情報照会", "⑮", (
        Menu("buyer_inquiry", "海外商社情報", Permission.USE, pattern=2, exempt=True),
        Menu("contract_inquiry", "保険契約情報", Permission.SEE_CONTRACTS, pattern=2),
    )),
    Section("user_management", "保険利用者情報・ユーザー管理", "⑯", (
        Menu(PASSWORD_CHANGE, "パスワード変更", Permission.CHANGE_PASSWORD),
        Menu("own_information", "Webユーザー情報照会", Permission.USE),
        Menu("account_inquiry", "口座情報照会", Permission.USE),
        Menu("policyholder_inquiry", "保険利用者情報照会", Permission.USE),
    )),
    Section(MANAGEMENT, "管理項目", "", (
        Menu("administrator_change", "Webユーザー（管理者）情報変更", Permission.ADMINISTER),
        Menu("applicants", "Webユーザー（申込者）情報照会・追加・変更", Permission.ADMINISTER),
        Menu("accounts", "口座情報照会・登録・変更", Permission.ADMINISTER),
        Menu("policyholder", "保険利用者情報照会・変更", Permission.ADMINISTER),
        Menu("access_history", "アクセス履歴出力", Permission.ADMINISTER),
    )),
    Section(ONE_TIME_PASSWORD_ENTRY, "ワンタイムパスワードの入力", "⑰", (
        Menu(ONE_TIME_PASSWORD_ENTRY, "ワンタイムパスワードの入力", Permission.USE),
    )),
)  # fmt: skip
"""⑯ bears the name under which ch3 3-1 knows it; ch1 calls the same area ユーザー管理のお手続き."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides how menus stand for one caller."""

    role: Role
    may: Collection[Permission]
    stepped_up: bool
    uses_one_time_passwords: bool
    uses_comprehensive: bool

    @property
    def must_change_password(self) -> bool:
        """The session may choose a password and nothing else (L5)."""
        return Permission.USE not in self.may


def sections(standing: Standing) -> Iterator[Section]:
    """The sections that exist for the caller: 管理項目 for administrators only (R73), the entry of a one-time password
    only where they are in use (R30)."""
    for section in SECTIONS:
        if section.code == MANAGEMENT and standing.role is not Role.ADMINISTRATOR:
            continue
        if section.code == ONE_TIME_PASSWORD_ENTRY and not standing.uses_one_time_passwords:
            continue
        yield section


def stand(menu: Menu, standing: Standing) -> tuple[State, Reason | None]:
    """Open, protected or closed, and why it is not open."""
    if standing.must_change_password:
        if menu.code == PASSWORD_CHANGE:
            return State.OPEN, None
        return State.CLOSED, Reason.PASSWORD_CHANGE_DUE
    if menu.code == ONE_TIME_PASSWORD_ENTRY:
        return (State.CLOSED, Reason.ALREADY_ENTERED) if standing.stepped_up else (State.OPEN, None)
    if menu.needs not in standing.may:
        return State.CLOSED, Reason.NO_PERMISSION
    if menu.comprehensive_only and not standing.uses_comprehensive:
        return State.CLOSED, Reason.NO_COMPREHENSIVE_INSURANCE
    if not menu.exempt and not standing.stepped_up:
        return State.PROTECTED, Reason.ONE_TIME_PASSWORD
    return State.OPEN, None
