"""口座登録・変更・削除: the manual's words, and what would change (R203 to R239); accounts has the last word."""

from applications.rules.policyholder_change import Item
from contracts.accounts import DEPOSIT_TYPE_LABELS, USE_LABELS

CHANGE_CHECKED = "変更する口座情報について確認しました"
DELETION_CHECKED = "削除する口座情報について確認しました"
_WARNING = (
    "別の手続きにおいて保険料返還や保険金請求の受取口座として指定されている場合、当口座を{what}することにより、"
    "NEXIからの送金が行えません。別の手続きがないことをご確認のうえ、{what}してください。"
)
CHANGE_WARNING = _WARNING.format(what="変更")
DELETION_WARNING = _WARNING.format(what="削除")

LABELS = {
    "bank_code": "取引先金融機関",
    "branch_code": "取引先支店",
    "deposit_type": "預金種別",
    "account_number": "口座番号",
    "holder": "口座名義人",
    "holder_kana": "口座名義人カナ",
    "use": "利用区分",
}
"""The account fields of the confirmation screen, in its order (R212)."""

_WORDS = {
    "deposit_type": {str(key): label for key, label in DEPOSIT_TYPE_LABELS.items()},
    "use": {str(key): label for key, label in USE_LABELS.items()},
}


def compare(content: dict[str, str], before: dict[str, str | None]) -> list[Item]:
    """Each field of the account as it is (as far as our own applications tell) and as it is wished for."""
    return [
        Item(field, label, _word(field, before.get(field)), _word(field, content.get(field)), changes)
        for field, label in LABELS.items()
        for changes in [field in content and content.get(field) != before.get(field)]
    ]


def _word(field: str, value: str | None) -> str | None:
    return None if value is None else _WORDS.get(field, {}).get(value, value)
