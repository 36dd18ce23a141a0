"""What a set of permissions lets a user do, in sentences for the administrator who chooses it."""

from collections.abc import Collection

from contracts.permissions import ApplicationData, ContractData, Entry
from identity.rules.permissions import Rights

_ENTRY = {
    Entry.NONE: "申込情報の入力も申込みもできません。",
    Entry.ENTER: "申込情報を入力し、保存できます。申込みはできません。",
    Entry.ENTER_AND_APPLY: "申込情報を入力し、保存し、申込みができます。",
}
_CONTRACT_DATA = {
    ContractData.NONE: "締結済みの保険契約の情報は参照できません。",
    ContractData.ALL: "締結済みの保険契約のすべての情報を参照できます。",
}
_APPLICATION_DATA = {
    ApplicationData.NONE: "Web申込状況一覧は参照できません。",
    ApplicationData.OWN: "本人が行った入力中・申込中・申込後2年以内の申込みのみ、Web申込状況一覧で参照できます。",
    ApplicationData.ALL: "すべてのIDの入力中・申込中・申込後2年以内の申込みを、Web申込状況一覧で参照できます。",
}
OWN_FUNCTIONS = "本人のパスワード変更と、Webユーザー情報・口座情報・保険利用者情報の照会ができます。"
NOT_ADMINISTRATION = "管理項目（ユーザー・口座・保険利用者情報の変更、アクセス履歴出力）は利用できません。"
ONE_TIME_PASSWORD = "ログイン後、ワンタイムパスワードを入力するまで利用できるメニューは一部に限られます。"
DISABLED = "使用状態が無効のため、ログインできません。"
ONE_SITTING = "入力した手続きを一覧から再開することはできないため、一度の操作で終える必要があります。"


def sentences(rights: Rights, effective: Collection[str], *, one_time_password: bool) -> tuple[str, ...]:
    """One sentence an axis, then what follows from their combination, then what every applicant may and may not."""
    said = [_ENTRY[rights.entry], _contract_sentence(rights, effective), _APPLICATION_DATA[rights.application_data]]
    if rights.entry is not Entry.NONE and rights.application_data is ApplicationData.NONE:
        said.append(ONE_SITTING)
    said += [OWN_FUNCTIONS, NOT_ADMINISTRATION]
    return (*said, ONE_TIME_PASSWORD) if one_time_password else tuple(said)


def _contract_sentence(rights: Rights, effective: Collection[str]) -> str:
    if rights.contract_data is not ContractData.LISTED_RIDERS:
        return _CONTRACT_DATA[rights.contract_data]
    if not effective:
        return "選択した特約コードに有効なものがないため、締結済みの保険契約の情報は参照できません。"
    return f"特約コード{'、'.join(effective)}の締結済みの保険契約の情報のみ参照できます。"
