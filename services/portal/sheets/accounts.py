"""口座登録・変更・削除: bank and branch from lists, and the account that is meant (R203 to R239)."""

from collections.abc import Mapping
from typing import Any, Final

from portal.answers import Answer
from portal.gateways import Gateway
from portal.sheets.sheet import InputSheet, Judgement, NothingToCorrect, Row, Sheet, digits_of, text_of
from portal.visits import Visit

LABELS: Final = {
    "bank_code": "取引先金融機関",
    "branch_code": "取引先支店",
    "deposit_type": "預金種別",
    "account_number": "口座番号",
    "holder": "口座名義人",
    "holder_kana": "口座名義人カナ",
    "use": "利用区分",
}
DEPOSIT_TYPES: Final = {"ordinary": "普通預金", "current": "当座預金"}
USES: Final = {"premium_refund": "保険料返還", "claim_payment": "保険金請求"}
CHOSEN: Final = ("bank_code", "branch_code")
"""Fields that are never typed (R208): they come out of the sealed state, not out of the form."""
ALREADY: Final = "同じ利用区分の口座がすでに登録されています。口座情報一覧をご確認のうえ、お申込みください。"
GONE: Final = (
    "対象の口座は登録されていないため、この申込みは修正できません。"
    "口座情報一覧をご確認のうえ、この申込みを取り下げてください。"
)
CHOICES: Final = {"choose_bank": "/accounts/banks", "choose_branch": "/accounts/branches"}


class AccountEntry(InputSheet):
    """口座登録 and 口座情報変更; `carried["account"]` names the account and the version that is changed."""

    title = "口座登録・変更・削除"
    steps = ("口座情報の入力", "申込内容の確認", "申込完了")
    template = "accounts/input.html"
    overview = ("/accounts", "口座情報一覧へ")

    def __init__(self, apply: str) -> None:
        self.apply = apply

    def required(self, carried: Mapping[str, Any]) -> Mapping[str, str]:
        return LABELS

    def read(self, typed: Mapping[str, Any]) -> dict[str, Any]:
        return {name: text_of(typed, name) for name in LABELS if name not in CHOSEN} | {
            "account_number": digits_of(typed, "account_number")
        }

    def values(self, content: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        return {name: content.get(name, "") for name in LABELS}

    def content(self, values: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in LABELS} | dict(carried["account"])

    async def resume(self, visit: Visit, application: Mapping[str, Any]) -> dict[str, Any]:
        content = application["content"]
        chosen = {name: content[name] for name in CHOSEN}
        if "account_id" not in content:
            return {"account": {}, "chosen": chosen}
        now = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", f"/accounts/{content['account_id']}")
        if now is None:
            raise NothingToCorrect(application["number"], GONE)
        return {"account": {"account_id": now["id"], "account_version": now["version"]}, "chosen": chosen}

    def aside(self, visit: Visit, carried: dict[str, Any], values: dict[str, Any], path: str) -> Answer | None:
        picker = CHOICES.get(str(visit.form.get("action")))
        if picker is None:
            return None
        return visit.go(picker, {"carried": carried, "values": values, "path": path})

    async def look(self, visit: Visit, carried: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        bank, branch = await names_of(visit, values)
        return {
            "labels": LABELS,
            "bank": f"{values['bank_code']} {bank}" if values["bank_code"] else "",
            "branch": f"{values['branch_code']} {branch}" if values["branch_code"] else "",
            "deposit_types": list(DEPOSIT_TYPES.items()),
            "uses": list(USES.items()),
        }

    async def rows(self, visit: Visit, application: Mapping[str, Any]) -> list[Row]:
        content, before = application["content"], {}
        items = await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{application['number']}/changes")
        if "account_id" in content:
            before = {item["field"]: item["now"] for item in items if item["changes"] and item["now"]}
        bank, branch = await names_of(visit, content)
        shown = words(content | {"bank_name": bank, "branch_name": branch})
        return [Row(label, shown[name], before.get(name, ""), name in before) for name, label in LABELS.items()]

    async def judged(self, visit: Visit, application: Mapping[str, Any]) -> Judgement:
        checked = await check(visit, application)
        new = "account_id" not in application["content"]
        return Judgement(checked["reason"] or "", ALREADY if new and checked["for_same_use"] else "")


class AccountDeletion(Sheet):
    """口座情報削除: nothing to type; the account as it is, or as it was."""

    title = "口座登録・変更・削除"
    steps = ("申込内容の確認", "申込完了")
    apply = "申込む"
    overview = ("/accounts", "口座情報一覧へ")

    async def rows(self, visit: Visit, application: Mapping[str, Any]) -> list[Row]:
        found = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", f"/accounts/{application['content']['account_id']}")
        account = await self._as_it_was(visit, application["number"]) if found is None else words(found)
        return [Row(label, account[name]) for name, label in LABELS.items()]

    async def judged(self, visit: Visit, application: Mapping[str, Any]) -> Judgement:
        return Judgement((await check(visit, application))["reason"] or "")

    async def _as_it_was(self, visit: Visit, number: str) -> dict[str, str]:
        items = await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{number}/changes")
        was = {item["field"]: item["now"] or "" for item in items}
        bank, branch = await names_of(visit, was)
        return was | {"bank_code": f"{was['bank_code']} {bank}", "branch_code": f"{was['branch_code']} {branch}"}


async def check(visit: Visit, application: Mapping[str, Any]) -> Any:
    """Whether the bank-account side would take it as things stand."""
    given = {"procedure": application["procedure"]} | dict(application["content"])
    return await visit.ask(Gateway.ACCOUNTS, "POST", "/account-checks", json=given)


async def names_of(visit: Visit, content: Mapping[str, Any]) -> tuple[str, str]:
    """The names of bank and branch as they are listed now; empty when they are not (any more)."""
    bank_path = f"/banks/{content['bank_code']}"
    bank = await _name(visit, bank_path) if content["bank_code"] else ""
    branch_path = f"{bank_path}/branches/{content['branch_code']}"
    return bank, await _name(visit, branch_path) if content["branch_code"] and bank else ""


def words(account: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an account as people read them."""
    return {name: str(account[name]) for name in LABELS} | {
        "bank_code": f"{account['bank_code']} {account['bank_name']}",
        "branch_code": f"{account['branch_code']} {account['branch_name']}",
        "deposit_type": DEPOSIT_TYPES[account["deposit_type"]],
        "use": USES[account["use"]],
    }


async def _name(visit: Visit, path: str) -> str:
    found = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", path)
    return "" if found is None else str(found["name"])
