"""保険利用者情報の詳細, its past and its change (R106 to R108, R166 to R171)."""

import asyncio
from typing import Any, Final
from uuid import uuid4

from portal import companies, entry
from portal.answers import Answer
from portal.forms import whole_number
from portal.gateways import Gateway
from portal.routing import Needs, Screens
from portal.sheets.catalogue import POLICYHOLDER_CHANGE
from portal.sheets.policyholder import LABELS, items_of
from portal.sheets.sheet import Row
from portal.visits import Visit

screens = Screens()

OFFICES: Final = {"head": "本店", "branch": "支店"}
SOURCES: Final = {"registration": "保険利用者登録", "nexi": "NEXIによる変更", "application": "Web申込み"}


@screens.get("/policyholder", needs=Needs.USER)
async def show(visit: Visit) -> Answer:
    """保険利用者情報の詳細 of head office or branch; the administrator also sees what is coming."""
    whose = companies.chosen(visit)
    asked = {"policyholder_code": whose["company"]}
    found, coming = await asyncio.gather(  # a group viewer may have a company that NEXI has not registered yet
        visit.ask_if_there(Gateway.ACCOUNTS, "GET", "/profile", params=asked),
        _coming(visit),
    )
    rows = _rows(found["profile"]) if found else []
    return visit.page("policyholder/show.html", found=found, rows=rows, coming=coming, offices=OFFICES, **whose)


@screens.get("/policyholder/history", needs=Needs.USER)
async def show_history(visit: Visit) -> Answer:
    """Every version that was in force, the present one first."""
    before = whole_number(visit.query.get("before", ""), 2**31 - 1)
    past = await visit.ask(Gateway.ACCOUNTS, "GET", "/profile/history", params={"before": before} if before else {})
    versions = [(one, _rows(one["profile"])) for one in past["items"]]
    return visit.page(
        "policyholder/history.html", versions=versions, newest=before is None, next=past["next"], sources=SOURCES
    )


@screens.get("/policyholder/change", needs=Needs.USER)
async def show_change(visit: Visit) -> Answer:
    """Step 1 変更内容の入力, filled with what is in force."""
    entry.demand_administrator(visit)
    found = await visit.ask(Gateway.ACCOUNTS, "GET", "/profile")
    carried: dict[str, Any] = {
        "key": str(uuid4()),
        "procedure": "policyholder_change",
        "base": items_of(found["profile"]),
    }
    values = POLICYHOLDER_CHANGE.values({"wished_date": ""}, carried)
    return await entry.show(visit, POLICYHOLDER_CHANGE, "/policyholder/change", carried, values)


@screens.post("/policyholder/change", needs=Needs.USER)
async def enter_change(visit: Visit) -> Answer:
    """変更内容の確認へ."""
    return await entry.save(visit, POLICYHOLDER_CHANGE, "/policyholder/change")


async def _coming(visit: Visit) -> list[Any]:
    if "administer" not in visit.me["may"]:
        return []
    found = await visit.ask(Gateway.ACCOUNTS, "GET", "/profile/coming-changes")
    return [(one, [Row(LABELS[name], value) for name, value in one["wish"].items() if _names(name, value)])
            for one in found]  # fmt: skip


def _names(name: str, value: Any) -> bool:
    return name != "wished_date" and value is not None


def _rows(profile: Any) -> list[Row]:
    return [Row(LABELS[name], value or "―") for name, value in items_of(profile).items()]
