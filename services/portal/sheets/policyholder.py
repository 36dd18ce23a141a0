"""保険利用者情報の変更: of its form only what was overwritten is applied for (R166 to R190)."""

from collections.abc import Mapping
from typing import Any, Final

from portal.gateways import Gateway
from portal.sheets.sheet import InputSheet, Row, digits_of, text_of
from portal.visits import Visit

LABELS: Final = {
    "wished_date": "変更適用希望日",
    "name": "保険利用者名（漢字）",
    "kana": "保険利用者名（カナ）",
    "postal_code": "郵便番号",
    "address": "所在地",
    "phone": "代表電話番号",
    "registered_address": "登記所在地",
    "representative_title": "代表者役職名",
    "representative_name": "代表者氏名",
    "home_page": "ホームページアドレス",
}
HEAD_OFFICE_ONLY: Final = ("registered_address", "representative_title", "representative_name", "home_page")
OPTIONAL: Final = ("representative_title", "home_page")
PARTS: Final = {"wished_date": 3, "postal_code": 2, "phone": 3}
"""Items that are typed in several boxes, put together with hyphens."""


def items_of(profile: Mapping[str, Any]) -> dict[str, str]:
    """The items that this office has, as they are in force (F6)."""
    return {
        name: profile.get(name) or ""
        for name in LABELS
        if name != "wished_date" and not (profile["office"] == "branch" and name in HEAD_OFFICE_ONLY)
    }


def dated(day: str) -> str:
    """A day as the confirmation writes it."""
    year, month, number = day.split("-")
    return f"{year}年{month}月{number}日"


class PolicyholderChange(InputSheet):
    """The sheet; `carried["base"]` are the items as the input showed them first."""

    title = "保険利用者情報の変更"
    steps = ("変更内容の入力", "変更内容の確認", "申込完了")
    template = "policyholder/change.html"
    onward = "変更内容の確認へ"
    overview = ("/policyholder", "保険利用者情報の詳細へ")

    def required(self, carried: Mapping[str, Any]) -> Mapping[str, str]:
        names = ["wished_date", *carried["base"]]
        return {name: LABELS[name] for name in names if name not in OPTIONAL}

    def read(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _joined(typed, name) if name in PARTS else text_of(typed, name) for name in LABELS}

    def values(self, content: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        return dict(carried["base"]) | dict(content)

    def content(self, values: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        year, month, day = (*values["wished_date"].split("-"), "", "")[:3]
        changed = {name: values[name] for name, now in carried["base"].items() if values[name] != now}
        return {"wished_date": f"{year:0>4}-{month:0>2}-{day:0>2}"} | changed

    async def resume(self, visit: Visit, application: Mapping[str, Any]) -> dict[str, Any]:
        found = await visit.ask(Gateway.ACCOUNTS, "GET", "/profile")
        return {"base": items_of(found["profile"])}

    async def look(self, visit: Visit, carried: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        return {"labels": LABELS, "shown": tuple(carried["base"])}

    async def rows(self, visit: Visit, application: Mapping[str, Any]) -> list[Row]:
        items = await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{application['number']}/changes")
        first = Row(LABELS["wished_date"], dated(application["content"]["wished_date"]))
        return [first, *(_row(item) for item in items)]


def _row(item: Mapping[str, Any]) -> Row:
    now, wished = item["now"] or "", item["wished"]
    return Row(item["label"], now if wished is None else wished, now, item["changes"])


def _joined(typed: Mapping[str, Any], name: str) -> str:
    parts = [digits_of(typed, f"{name}_{number}") for number in range(1, PARTS[name] + 1)]
    return "-".join(parts) if any(parts) else ""
