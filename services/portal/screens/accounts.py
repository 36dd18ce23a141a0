"""口座情報一覧, and from it 新規登録, 変更 and 削除 (R101 to R105, R203 to R239)."""

import re
from typing import Any, Final
from uuid import uuid4

from portal import companies, entry
from portal.answers import Answer
from portal.gateways import Gateway
from portal.routing import Needs, Screens
from portal.sheets.accounts import CHOSEN, LABELS
from portal.sheets.catalogue import CHANGE, REGISTRATION
from portal.visits import Visit

screens = Screens()

SORTS: Final = {"use": "利用区分", "account_number": "口座番号", "fixed_date": "確定日"}
ORDERS: Final = ("asc", "desc")
CHOSEN_ACCOUNT: Final = re.compile("([0-9a-f-]{36}) ([0-9]{1,9})")
"""What a radio button of the list sends: the account, and the version that was looked at."""
NOT_CHOSEN: Final = "一覧の左端で、口座を選択してください。"
GONE: Final = "対象の口座は登録されていません。口座情報一覧をご確認ください。"


@screens.get("/accounts", needs=Needs.USER)
async def show_list(visit: Visit) -> Answer:
    """口座情報一覧, sorted by use, number or fixed date in both directions (R104)."""
    whose = companies.chosen(visit)
    sort, order = _one_of(visit, "sort", tuple(SORTS)), _one_of(visit, "order", ORDERS)
    params = {"policyholder_code": whose["company"], "sort": sort, "order": order}
    found = await visit.ask(Gateway.ACCOUNTS, "GET", "/accounts", params=params)
    visit.notice = visit.state.get("notice", "")
    return visit.page(
        "accounts/list.html", found=found, sort=sort, order=order, sorts=SORTS, key=str(uuid4()), **whose,
    )  # fmt: skip


@screens.post("/accounts", needs=Needs.USER)
async def start(visit: Visit) -> Answer:
    """変更 or 削除 of the account that was chosen with its radio button; a deletion goes straight to confirmation."""
    chosen = CHOSEN_ACCOUNT.fullmatch(str(visit.form.get("account", "")))
    if chosen is None:
        return visit.go("/accounts", {"notice": NOT_CHOSEN})
    account_id, version = chosen[1], int(chosen[2])
    if visit.form.get("action") != "delete":
        return visit.go(f"/accounts/{account_id}/change")
    content = {"account_id": account_id, "account_version": version}
    saved = await entry.begin(visit, "account_deletion", content, entry.key_of("delete", content))
    found = await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{saved['number']}")
    if not found["may_resume"]:  # the draft of an earlier 削除 was given up, or refused in the end
        saved = await entry.begin(visit, "account_deletion", content, entry.key_of(visit.form.get("key"), content))
    return visit.go(f"/applications/{saved['number']}/confirmation")


@screens.get("/accounts/new", needs=Needs.USER)
async def show_new(visit: Visit) -> Answer:
    """口座登録: 口座情報の入力."""
    entry.demand_administrator(visit)
    visit.demand_step_up()
    chosen = dict.fromkeys(CHOSEN, "")
    carried: dict[str, Any] = {
        "key": str(uuid4()), "procedure": "account_registration", "account": {}, "chosen": chosen,
    }  # fmt: skip
    values = dict.fromkeys(LABELS, "") | {"deposit_type": "ordinary"}
    return await entry.show(visit, REGISTRATION, "/accounts/new", carried, values)


@screens.post("/accounts/new", needs=Needs.USER)
async def enter_new(visit: Visit) -> Answer:
    """申込内容の確認へ, or to the lists of banks and branches."""
    return await entry.save(visit, REGISTRATION, "/accounts/new")


@screens.get("/accounts/{account_id:[0-9a-f-]+}/change", needs=Needs.USER)
async def show_change(visit: Visit) -> Answer:
    """口座情報変更: 口座情報の入力, filled with the account."""
    entry.demand_administrator(visit)
    account = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", f"/accounts/{visit.args['account_id']}")
    if account is None:
        return visit.go("/accounts", {"notice": GONE})
    carried: dict[str, Any] = {
        "key": str(uuid4()), "procedure": "account_change",
        "account": {"account_id": account["id"], "account_version": account["version"]},
        "chosen": {name: account[name] for name in CHOSEN},
    }  # fmt: skip
    return await entry.show(visit, CHANGE, visit.request.path, carried, CHANGE.values(account, carried))


@screens.post("/accounts/{account_id:[0-9a-f-]+}/change", needs=Needs.USER)
async def enter_change(visit: Visit) -> Answer:
    """申込内容の確認へ, or to the lists of banks and branches."""
    return await entry.save(visit, CHANGE, visit.request.path)


def _one_of(visit: Visit, name: str, known: tuple[str, ...]) -> str:
    asked = visit.query.get(name, "")
    return asked if asked in known else known[0]
