"""Whether an account procedure can be carried out, and the sentence that says why not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.applications import AccountChange, AccountDeletion, AccountRegistration, AccountWish, Procedure

Wish = AccountRegistration | AccountChange | AccountDeletion

WISHES: Final[dict[str, type[Wish]]] = {
    Procedure.ACCOUNT_REGISTRATION: AccountRegistration,
    Procedure.ACCOUNT_CHANGE: AccountChange,
    Procedure.ACCOUNT_DELETION: AccountDeletion,
}
"""The content of each account procedure."""


class Refusal(StrEnum):
    """Why not; the value is the rule's name."""

    UNREADABLE = "unreadable"
    NO_ACCOUNT = "no_account"
    STALE_VERSION = "stale_version"
    NO_BANK = "no_bank"
    NO_BRANCH = "no_branch"
    DUPLICATE = "duplicate"


SENTENCES: Final = {
    Refusal.UNREADABLE: "申込内容に誤りがあるため、口座情報へ反映できませんでした。もう一度お申込みください。",
    Refusal.NO_ACCOUNT: "対象の口座は登録されていません。口座情報一覧をご確認ください。",
    Refusal.STALE_VERSION: "対象の口座は、内容を確認された後に変更されています。口座情報一覧から選択し直してください。",
    Refusal.NO_BANK: "取引先金融機関が一覧にありません。一覧から選択し直すか、NEXIにご相談ください。",
    Refusal.NO_BRANCH: "取引先支店が一覧にありません。一覧から選択し直すか、NEXIにご相談ください。",
    Refusal.DUPLICATE: "同じ口座が同じ利用区分ですでに登録されています。",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about a wish before it is carried out."""

    account_version: int | None = None
    """The present version of the live account that the wish names, if it is this policyholder's."""
    bank_name: str | None = None
    """As the master lists it; None when the bank wished for is not listed (any more)."""
    branch_name: str | None = None
    twin: UUID | None = None
    """Another live account of the policyholder that is the same in everything that must be unique (F5)."""


def refusal(wish: Wish, standing: Standing) -> Refusal | None:
    """Why the wish cannot be carried out, or None."""
    if not isinstance(wish, AccountRegistration):
        if standing.account_version is None:
            return Refusal.NO_ACCOUNT
        if standing.account_version != wish.account_version:
            return Refusal.STALE_VERSION
    if not isinstance(wish, AccountWish):
        return None
    if standing.bank_name is None:
        return Refusal.NO_BANK
    if standing.branch_name is None:
        return Refusal.NO_BRANCH
    return Refusal.DUPLICATE if standing.twin is not None else None
