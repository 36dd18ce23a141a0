"""The procedures as data: adding one is an entry here and, if it has rules of its own, one module beside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel

from applications.rules import bank_accounts, policyholder_change
from applications.rules.faults import Facts, Fault
from contracts.applications import (
    AccountChange,
    AccountDeletion,
    AccountRegistration,
    PolicyholderWish,
    Procedure,
)
from contracts.operations import Operation


class Carrier(StrEnum):
    """Who carries a submitted application out, and so alone may say what became of it."""

    NEXI = "nexi"
    ACCOUNTS = "accounts"


@dataclass(frozen=True)
class Kind:
    """One procedure. Without a `wish` its content is a JSON object of the front end that owns it (P2)."""

    key: str
    label: str
    """申込種類."""
    entry: Operation | None = None
    """Recorded when a draft is saved: 申込情報の入力と保存."""
    application: Operation | None = None
    """Recorded when it is submitted: 申込み."""
    carrier: Carrier = Carrier.NEXI
    administrator_only: bool = False
    attachments: bool = False
    exempt: bool = False
    """Usable without the one-time password (R327)."""
    wish: type[BaseModel] | None = None
    """What its content must be."""
    faults: Callable[[BaseModel, Facts], list[Fault]] | None = None
    """What is wrong with a content of the right shape, given today and the profile in force."""
    acknowledgement: str | None = None
    """The check box that must be ticked before 申込み."""
    warning: str | None = None
    """What to say when another open application names the account that this one is about."""


KINDS = (
    Kind(
        Procedure.POLICYHOLDER_CHANGE, "保険利用者情報変更",
        administrator_only=True, wish=PolicyholderWish, faults=policyholder_change.faults,
    ),
    Kind(
        Procedure.ACCOUNT_REGISTRATION, "口座登録",
        carrier=Carrier.ACCOUNTS, administrator_only=True, wish=AccountRegistration,
    ),
    Kind(
        Procedure.ACCOUNT_CHANGE, "口座情報変更",
        carrier=Carrier.ACCOUNTS, administrator_only=True, wish=AccountChange,
        acknowledgement=bank_accounts.CHANGE_CHECKED, warning=bank_accounts.CHANGE_WARNING,
    ),
    Kind(
        Procedure.ACCOUNT_DELETION, "口座情報削除",
        carrier=Carrier.ACCOUNTS, administrator_only=True, wish=AccountDeletion,
        acknowledgement=bank_accounts.DELETION_CHECKED, warning=bank_accounts.DELETION_WARNING,
    ),
    Kind("buyer_registration", "海外商社登録・変更", Operation.BUYER_ENTRY, Operation.BUYER_APPLICATION, exempt=True),
    Kind(
        "sleeping_release", "スリーピング解除",
        Operation.SLEEPING_RELEASE_ENTRY, Operation.SLEEPING_RELEASE_APPLICATION, exempt=True,
    ),
    Kind(
        "individual_new", "貿易一般保険（個別保険）個別新規",
        Operation.INDIVIDUAL_NEW_ENTRY, Operation.INDIVIDUAL_NEW_APPLICATION,
    ),
    Kind(
        "individual_change", "貿易一般保険（個別保険）個別内容変更",
        Operation.INDIVIDUAL_CHANGE_ENTRY, Operation.INDIVIDUAL_CHANGE_APPLICATION,
    ),
    Kind(
        "small_business_new", "中小企業・農林水産業輸出代金保険 中小新規",
        Operation.SMALL_BUSINESS_ENTRY, Operation.SMALL_BUSINESS_APPLICATION,
    ),
    Kind("comprehensive", "包括保険共通", Operation.COMPREHENSIVE_ENTRY, Operation.COMPREHENSIVE_APPLICATION),
    Kind(
        "guarantee_limit", "個別保証枠確認",
        Operation.GUARANTEE_LIMIT_ENTRY, Operation.GUARANTEE_LIMIT_APPLICATION,
    ),
    Kind("limit_return", "決済／枠戻通知", Operation.LIMIT_RETURN_ENTRY, Operation.LIMIT_RETURN_APPLICATION),
    Kind("loss_notice", "損失等発生通知", Operation.LOSS_NOTICE_ENTRY, Operation.LOSS_NOTICE_APPLICATION),
    Kind("payment_notice", "入金通知", Operation.PAYMENT_NOTICE_ENTRY, Operation.PAYMENT_NOTICE_APPLICATION),
    Kind("grace_period", "猶予申請", Operation.GRACE_PERIOD_ENTRY, Operation.GRACE_PERIOD_APPLICATION),
    Kind("rider_wish", "企業総合保険特約 設定希望情報", Operation.RIDER_ENTRY, Operation.RIDER_WISH_SENDING),
    Kind("rider_application", "企業総合保険特約", Operation.RIDER_ENTRY, Operation.RIDER_APPLICATION),
    Kind("electronic_application", "電子申請", attachments=True),
)  # fmt: skip

PROCEDURES: Mapping[str, Kind] = MappingProxyType({str(kind.key): kind for kind in KINDS})
"""By key, in the order of the user page."""
