"""保険利用者情報変更: what may be wished for, and what would change (R166 to R181, F4, F6)."""

from dataclasses import dataclass

from pydantic import BaseModel

from applications.rules.faults import Facts, Fault
from contracts.applications import PolicyholderWish
from contracts.nexi import Office

LABELS = {
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
"""Every item of the confirmation screen, in its order (R185)."""

HEAD_OFFICE_ONLY = frozenset({"registered_address", "representative_title", "representative_name", "home_page"})


@dataclass(frozen=True)
class Item:
    """One line of the comparison: what is in force, and what it would become."""

    field: str
    label: str
    now: str | None
    wished: str | None
    changes: bool


def faults(wish: BaseModel, facts: Facts) -> list[Fault]:
    """What is wrong with a well-formed wish on the day of application."""
    assert isinstance(wish, PolicyholderWish)
    found = []
    if wish.wished_date < facts.today:
        found.append(Fault("wished_date", "not_before_today", "変更適用希望日には、本日以降の日付を指定してください。"))
    given = wish.model_dump(mode="json", exclude={"wished_date"}, exclude_none=True)
    if facts.profile is not None and facts.profile.office is Office.BRANCH:
        found += [
            Fault(field, "head_office_only", f"{LABELS[field]}は、保険利用者（支店）では変更できません。")
            for field in given
            if field in HEAD_OFFICE_ONLY
        ]
    if not found and not any(item.changes for item in compare(given, _as_content(facts))):
        found.append(Fault("wished_date", "nothing_changes", "変更する項目がありません。"))
    return found


def compare(content: dict[str, str], before: dict[str, str | None]) -> list[Item]:
    """Each item as it is (`before`, the profile in force) and as it is wished for; a branch has fewer (F6)."""
    branch = before.get("office") == Office.BRANCH
    return [
        Item(field, label, before.get(field), content.get(field), _changes(content.get(field), before.get(field)))
        for field, label in LABELS.items()
        if field != "wished_date" and not (branch and field in HEAD_OFFICE_ONLY)
    ]


def _changes(wished: str | None, now: str | None) -> bool:
    return wished is not None and wished != (now or "")


def _as_content(facts: Facts) -> dict[str, str | None]:
    return {} if facts.profile is None else facts.profile.model_dump(mode="json")
