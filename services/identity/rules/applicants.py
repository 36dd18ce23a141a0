"""What may be entered for an applicant, and what of it is a change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.permissions import (
    APPLICATION_DATA_LABELS,
    CONTRACT_DATA_LABELS,
    ENTRY_LABELS,
    ApplicationData,
    ContractData,
    Entry,
)
from identity.rules.permissions import Rights

LABELS = {
    "enabled": "使用状態",
    "user_id": "WebユーザーID(申込者用)",
    "email": "メールアドレス",
    "name": "氏名",
    "phone": "電話番号",
    "department": "所属名",
    "title": "役職名",
    "entry": "入力/申込権限",
    "contract_data": "情報データ参照範囲",
    "rider_codes": "参照可能な特約コード",
    "application_data": "申込データ参照範囲",
    "one_time_password": "ワンタイムパスワード利用",
}
"""The fields in the order and the words of the screens (R139, R150 to R159, R322)."""

ADMINISTRATOR_LABELS = LABELS | {"user_id": "WebユーザーID（管理者用）"}

STATE_LABELS = {True: "有効", False: "無効"}
ONE_TIME_PASSWORD_LABELS = {True: "利用する", False: "利用しない"}


@dataclass(frozen=True, slots=True)
class Company:
    """What NEXI's events say about the policyholder (W5)."""

    uses_comprehensive: bool
    rider_codes: frozenset[str]

    @property
    def usable_codes(self) -> frozenset[str]:
        """The codes that have an effect now."""
        return self.rider_codes if self.uses_comprehensive else frozenset()


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that an entered field breaks, with the sentence for the person who entered it."""

    field: str
    rule: str
    message: str


def broken_rights(wished: Rights, company: Company, present: Rights | None = None) -> list[Broken]:
    """What is wrong with the wished rights (W5, R80, R133).

    What the user has already may stay as it is, also after NEXI withdrew it: it has no effect then.
    """
    if wished.contract_data is not ContractData.LISTED_RIDERS:
        if wished.rider_codes:
            label = CONTRACT_DATA_LABELS[ContractData.LISTED_RIDERS]
            return [Broken("rider_codes", "not_listed_riders", f"特約コードは「{label}」の場合にのみ選択できます。")]
        return []
    listed_already = present is not None and present.contract_data is ContractData.LISTED_RIDERS
    if not company.uses_comprehensive and not listed_already:
        message = "「対象特約のみ参照可能」は、企業総合保険をご利用の場合にのみ選択できます。"
        return [Broken("contract_data", "comprehensive_only", message)]
    if not wished.rider_codes:
        return [Broken("rider_codes", "at_least_one", "参照可能な特約コードを1つ以上選択してください。")]
    known = company.rider_codes | (set(present.rider_codes) if present is not None else set())
    return [
        Broken(f"rider_codes.{place}", "unknown_rider", "選択できない特約コードです。")
        for place, code in enumerate(wished.rider_codes)
        if code not in known
    ]


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """The names of the fields of `after` whose values differ from `before`, in the order of the screens."""
    return tuple(name for name in LABELS if name in after and before.get(name) != after[name])


def worded(field: str, value: object) -> str:
    """A value in the words of the screens."""
    if isinstance(value, bool):
        return (ONE_TIME_PASSWORD_LABELS if field == "one_time_password" else STATE_LABELS)[value]
    if isinstance(value, Entry):
        return ENTRY_LABELS[value]
    if isinstance(value, ContractData):
        return CONTRACT_DATA_LABELS[value]
    if isinstance(value, ApplicationData):
        return APPLICATION_DATA_LABELS[value]
    if isinstance(value, Collection) and not isinstance(value, str):
        return "、".join(value)
    return str(value)
