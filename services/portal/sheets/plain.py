"""Procedures outside of these chapters: a subject, a text and remarks in plain words, with files for 電子申請."""

from collections.abc import Mapping
from typing import Any, Final

from portal.sheets.sheet import InputSheet, Row, text_of
from portal.visits import Visit

LABELS: Final = {"subject": "件名", "body": "申込内容", "remarks": "備考"}
LIMITS: Final = {"subject": 100, "body": 20_000, "remarks": 2000}


class PlainProcedure(InputSheet):
    """The sheet of one of them; what other front ends have put into a content stays in it."""

    template = "procedures/input.html"
    apply = "申込む"

    def __init__(self, menu: str, title: str, *, pattern: int, attachments: bool) -> None:
        self.title, self.pattern, self.attachments = title, pattern, attachments
        self.overview = (f"/procedures/{menu}", "手続きの選択へ")
        if attachments:
            self.steps = ("申込内容の入力", "ファイルの添付", "申込内容の確認", "申込完了")
            self.onward = "ファイルの添付へ"

    def required(self, carried: Mapping[str, Any]) -> Mapping[str, str]:
        return {name: LABELS[name] for name in ("subject", "body")}

    def read(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        return {name: text_of(typed, name)[: LIMITS[name]] for name in LABELS}

    def values(self, content: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        return {name: content.get(name, "") for name in LABELS}

    def content(self, values: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        return dict(carried["rest"]) | {name: value for name, value in values.items() if value}

    async def resume(self, visit: Visit, application: Mapping[str, Any]) -> dict[str, Any]:
        return {"rest": {name: value for name, value in application["content"].items() if name not in LABELS}}

    async def look(self, visit: Visit, carried: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        return {"labels": LABELS, "limits": LIMITS}

    async def rows(self, visit: Visit, application: Mapping[str, Any]) -> list[Row]:
        content = application["content"]
        known = [Row(label, in_words(content[name])) for name, label in LABELS.items() if name in content]
        return known + [Row(name, in_words(value)) for name, value in content.items() if name not in LABELS]


def in_words(value: Any) -> str:
    """A piece of a content without JSON: lists and objects line by line."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {in_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "\n".join(in_words(one) for one in value)
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    return "―" if value is None or value == "" else str(value)
