"""取引先金融機関 and 取引先支店 are chosen from lists, never typed; the input waits meanwhile (R208, R219)."""

import re
from typing import Any, Final

from portal.answers import Answer
from portal.gateways import Gateway
from portal.routing import Needs, Screens
from portal.seals import Unreadable
from portal.visits import Visit

screens = Screens()

CODE: Final = re.compile("[0-9]{3,4}")


@screens.get("/accounts/banks", needs=Needs.USER)
async def list_banks(visit: Visit) -> Answer:
    """取引先金融機関の選択."""
    state = _state(visit)
    found = await visit.ask(Gateway.ACCOUNTS, "GET", "/banks", params=_asked(visit))
    return _page(visit, state, found, "取引先金融機関", "")


@screens.post("/accounts/banks", needs=Needs.USER)
async def choose_bank(visit: Visit) -> Answer:
    """選択; another bank has other branches."""
    return _take(visit, {"bank_code": _digits(str(visit.form.get("code", ""))), "branch_code": ""})


@screens.get("/accounts/branches", needs=Needs.USER)
async def list_branches(visit: Visit) -> Answer:
    """取引先支店の選択; without a bank, the bank comes first."""
    state = _state(visit)
    code = state["carried"]["chosen"]["bank_code"]
    if not code:
        return visit.go("/accounts/banks", state)
    bank = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", f"/banks/{code}")
    found = await visit.ask_if_there(Gateway.ACCOUNTS, "GET", f"/banks/{code}/branches", params=_asked(visit))
    if bank is None or found is None:
        return visit.go("/accounts/banks", state)  # the bank is not listed any more
    return _page(visit, state, found, "取引先支店", f"{code} {bank['name']}")


@screens.post("/accounts/branches", needs=Needs.USER)
async def choose_branch(visit: Visit) -> Answer:
    """選択."""
    return _take(visit, {"branch_code": _digits(str(visit.form.get("code", "")))})


def _state(visit: Visit) -> dict[str, Any]:
    state = visit.state
    if "path" not in state:
        raise Unreadable
    return state


def _asked(visit: Visit) -> dict[str, str]:
    return {"search": visit.query.get("search", "")[:100], "after": _digits(visit.query.get("after", ""))}


def _digits(given: str) -> str:
    return given if CODE.fullmatch(given) else ""


def _page(visit: Visit, state: dict[str, Any], found: Any, what: str, bank: str) -> Answer:
    return visit.page(
        "accounts/choice.html", what=what, bank=bank, found=found, carried=visit.seal(state),
        search=visit.query.get("search", ""), back=visit.go(state["path"], state).location,
    )  # fmt: skip


def _take(visit: Visit, chosen: dict[str, str]) -> Answer:
    state = _state(visit)
    carried = state["carried"] | {"chosen": state["carried"]["chosen"] | chosen}
    values = state["values"] | carried["chosen"]
    return visit.go(state["path"], {"carried": carried, "values": values}, part="bank_code")
