"""Webユーザー（申込者）情報照会・追加・変更: list, details, and パスワードリセット (R143 to R146, R163 to R165)."""

from typing import Any, Final

from portal.answers import Answer
from portal.delays import until_everywhere
from portal.forms import whole_number
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.screens.persons import LABELS
from portal.visits import Visit

screens = Screens()

COLUMNS: Final = (
    ("user_id", "WebユーザーID"),
    ("name", "氏名"),
    ("department", "所属名"),
    ("email", "メールアドレス"),
    ("state", "使用状態"),
    ("last_login", "最終ログイン日時"),
)
WISHES: Final = {
    "used": ("enabled", "disabled"),
    "sort": tuple(name for name, _ in COLUMNS),
    "order": ("asc", "desc"),
}


@screens.get("/applicants", needs=Needs.USER)
async def list_applicants(visit: Visit) -> Answer:
    """The list with 「選択」, 新規登録, 照会, 変更 and パスワードリセット."""
    wish = _wish(visit)
    asked = {"state" if name == "used" else name: value for name, value in wish.items()}
    found = await visit.ask(Gateway.IDENTITY, "GET", "/applicants", params=asked)
    state = visit.state
    return visit.page(
        "applicants/list.html",
        found=found,
        wish=wish,
        columns=COLUMNS,
        chosen=state.get("chosen", ""),
        refusal=state.get("refusal", ""),
        notice=state.get("notice", ""),
    )


@screens.post("/applicants", needs=Needs.USER)
async def act_on_chosen(visit: Visit) -> Answer:
    """照会, 変更 or パスワードリセット of the one who is selected by the radio button."""
    chosen = str(visit.form.get("user_id", ""))
    if not _is_id(chosen):
        return visit.go("/applicants", {"refusal": "左端の「選択」で申込者を選択してください。"})
    match visit.form.get("action"):
        case "reset":
            return await _reset(visit, chosen, "/applicants")
        case "change":
            return visit.go(f"/applicants/{chosen}/change")
        case _:
            return visit.go(f"/applicants/{chosen}")


@screens.get("/applicants/{user_id:[0-9]{12}}", needs=Needs.USER)
async def show_applicant(visit: Visit) -> Answer:
    """詳細情報: everything, and what the permissions mean."""
    path = f"/applicants/{visit.args['user_id']}"
    found = await visit.ask(Gateway.IDENTITY, "GET", path)
    meaning = await visit.ask(Gateway.IDENTITY, "GET", f"{path}/permissions")
    state = visit.state
    return visit.page(
        "applicants/details.html",
        rows=details(found),
        found=found,
        sentences=meaning["sentences"],
        refusal=state.get("refusal", ""),
        notice=state.get("notice", ""),
    )


@screens.post("/applicants/{user_id:[0-9]{12}}", needs=Needs.USER)
async def reset_password(visit: Visit) -> Answer:
    """パスワードリセットする, from the details."""
    return await _reset(visit, visit.args["user_id"], f"/applicants/{visit.args['user_id']}")


async def _reset(visit: Visit, user_id: str, back_to: str) -> Answer:
    """The new password goes to the administrator's address; the message box was answered with OK (R164)."""
    try:
        done = await visit.ask(Gateway.IDENTITY, "POST", f"/applicants/{user_id}/password-reset")
    except Refused as refusal:
        return visit.go(back_to, {"refusal": refusal.detail, "chosen": user_id})
    sent = f"{done['message']}（WebユーザーID: {user_id}、送信先: {done['password_sent_to']}）{until_everywhere(done)}"
    return visit.go(back_to, {"notice": sent, "chosen": user_id})


def details(found: Any) -> list[dict[str, str]]:
    """All about one applicant, in the words and the order of the screens."""
    codes = [one["rider_code"] + ("" if one["effective"] else "（無効）") for one in found["rider_codes"]]
    rows = [
        ("WebユーザーID(申込者用)", found["user_id"]),
        (LABELS["enabled"], found["state_label"]),
        *((LABELS[name], found[name]) for name in ("email", "name", "phone", "department", "title")),
        (LABELS["entry"], found["entry_label"]),
        (LABELS["contract_data"], found["contract_data_label"]),
        (LABELS["rider_codes"], "、".join(codes)),
        (LABELS["application_data"], found["application_data_label"]),
        ("パスワード", found["password_state_label"] + ("（ロック中）" if found["locked"] else "")),
    ]
    return [{"label": label, "value": value} for label, value in rows if value or label != LABELS["rider_codes"]]


def _wish(visit: Visit) -> dict[str, str]:
    """What of the list is wanted; anything that is no wish is left out."""
    wish = {name: visit.query[name] for name, known in WISHES.items() if visit.query.get(name) in known}
    if search := visit.query.get("search", "").strip()[:100]:
        wish["search"] = search
    if page := whole_number(visit.query.get("page", ""), 999):
        wish["page"] = str(page)
    return wish


def _is_id(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()
