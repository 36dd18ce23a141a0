"""What the forms of administrators and applicants have in common: fields, choices, and reading them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from contracts.permissions import APPLICATION_DATA_LABELS, CONTRACT_DATA_LABELS, ENTRY_LABELS, ContractData
from portal.forms import Form
from portal.gateways import Refused
from portal.visits import Visit

LABELS: Final = {
    "enabled": "使用状態",
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
    "current_password": "現在のパスワード",
}
PERSON: Final = ("email", "name", "phone", "department", "title")
MANDATORY: Final = {name: LABELS[name] for name in ("email", "name")}
LONGEST: Final = 200

STATES: Final = [("true", "有効"), ("false", "無効")]
USED: Final = [("true", "利用する"), ("false", "利用しない")]
ENTRIES: Final = list(ENTRY_LABELS.items())
APPLICATION_DATA: Final = list(APPLICATION_DATA_LABELS.items())
STALE: Final = (
    "表示後に他の操作で変更されたため、確定していません。"
    "入力した内容はそのまま残っています。最新の内容との違いをご確認のうえ、もう一度「確認する」ボタンを押してください。"
)


def contract_data(*, with_riders: bool) -> list[tuple[str, str]]:
    """The choices of 情報データ参照範囲; 対象特約のみ参照可能 only where 企業総合保険 is used (R80)."""
    found = CONTRACT_DATA_LABELS.items()
    return [(value, words) for value, words in found if with_riders or value is not ContractData.LISTED_RIDERS]


def typed(visit: Visit, *names: str) -> dict[str, Any]:
    """The fields as they were typed; absurd lengths are cut where the gateway's own sentence still says too long."""
    return {name: str(visit.form.get(name, ""))[:LONGEST] for name in names}


def flag(text: object) -> bool:
    """A choice between two as JSON has it."""
    return text in (True, "true")


async def over_newest(
    state: Mapping[str, Any], validate: Callable[[Mapping[str, Any]], Awaitable[Any]]
) -> tuple[Mapping[str, Any], list[Any]]:
    """The screen's state over what is saved now, and where that differs from what was typed.

    When the input cannot be right as it stands, the state says why, and there are no differences to show.
    """
    for _ in range(2):  # what the screen knows may be old by now: it was reloaded, or somebody was faster
        try:
            found = await validate(state["values"])
        except Refused as refusal:
            if refusal.kind == "stale-version":
                state = {**state, "values": {**state["values"], "version": refusal.problem["version"]}}
                continue
            if refusal.status == 422:
                return {**state, "errors": refusal.fields}, []
            raise
        return state, [item for item in found["items"] if item["changed"]]
    return state, []


def advice(confirmation: Mapping[str, Any]) -> list[str]:
    """The hints of a validation, as sentences."""
    return [str(one["message"]) for one in confirmation["warnings"]]


def form_of(state: Mapping[str, Any]) -> Form:
    """The form as the state of the screen has it."""
    return Form(state.get("values", {}), dict(state.get("errors", {})))
