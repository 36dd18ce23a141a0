"""Which sheet belongs to which procedure, and which procedures to which menu (R1 to R8, R21 to R26)."""

from typing import Any, Final

from portal.sheets.accounts import AccountDeletion, AccountEntry
from portal.sheets.plain import PlainProcedure
from portal.sheets.policyholder import PolicyholderChange
from portal.sheets.sheet import InputSheet, Sheet

MENUS: Final = {
    "buyer_procedures": ("海外商社登録等のお手続き", ("buyer_registration", "sleeping_release")),
    "insurance_procedures": (
        "保険申込み・変更のお手続き",
        ("individual_new", "individual_change", "comprehensive", "small_business_new"),
    ),
    "guarantee_limit_procedures": ("個別保証枠のお手続き", ("guarantee_limit", "limit_return")),
    "rider_procedures": ("企業総合保険特約のお手続き", ("rider_wish", "rider_application")),
    "accident_procedures": ("事故に関するお手続き", ("loss_notice", "payment_notice", "grace_period")),
    "electronic_application_procedures": ("電子申請のお手続き", ("electronic_application",)),
}
PATTERN_2: Final = "insurance_procedures"
EXEMPT: Final = "buyer_procedures"
"""The menu that is free of the one-time password (R327)."""

POLICYHOLDER_CHANGE: Final = PolicyholderChange()
REGISTRATION: Final = AccountEntry("申込む")
CHANGE: Final = AccountEntry("申込み")
OWN_SHEETS: Final[dict[str, Sheet]] = {
    "policyholder_change": POLICYHOLDER_CHANGE,
    "account_registration": REGISTRATION,
    "account_change": CHANGE,
    "account_deletion": AccountDeletion(),
}


def menu_of(procedure: str) -> str:
    """The menu that a procedure is reached from; the first for one that is newer than this portal."""
    return next((menu for menu, (_, keys) in MENUS.items() if procedure in keys), next(iter(MENUS)))


def plain(menu: str, kind: Any) -> InputSheet:
    """The sheet of a procedure of the catalogue, as the gateway describes it."""
    return PlainProcedure(menu, kind["label"], pattern=2 if menu == PATTERN_2 else 1, attachments=kind["attachments"])


def sheet_of(application: Any) -> Sheet:
    """The sheet of a saved application."""
    key = application["procedure"]
    attachments = key == "electronic_application"
    kind = {"label": application["procedure_label"], "attachments": attachments}
    return OWN_SHEETS.get(key) or plain(menu_of(key), kind)
