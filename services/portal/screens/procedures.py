"""The menus of procedures outside of chapter 3: the flow, the choice, the input (R40 to R53)."""

from typing import Any
from uuid import uuid4

from portal import entry
from portal.answers import Answer
from portal.gateways import Gateway
from portal.routing import Needs, Screens
from portal.sheets.catalogue import EXEMPT, MENUS, PATTERN_2, plain
from portal.sheets.sheet import InputSheet
from portal.troubles import NoSuchPage
from portal.visits import Visit

screens = Screens()


@screens.get("/procedures/{menu}", needs=Needs.USER)
async def show_menu(visit: Visit) -> Answer:
    """手続きの流れを説明する画面 (R42)."""
    menu = visit.args["menu"]
    title, kinds = await _kinds(visit)
    return visit.page(
        "procedures/menu.html", title=title, kinds=list(kinds.values()), menu=menu,
        pattern=2 if menu == PATTERN_2 else 1,
    )  # fmt: skip


@screens.get("/procedures/{menu}/{procedure}", needs=Needs.USER)
async def show_input(visit: Visit) -> Answer:
    """申込内容の入力."""
    sheet = await _sheet(visit)
    carried: dict[str, Any] = {"key": str(uuid4()), "procedure": visit.args["procedure"], "rest": {}}
    return await entry.show(visit, sheet, visit.request.path, carried, sheet.values({}, carried))


@screens.post("/procedures/{menu}/{procedure}", needs=Needs.USER, limit=512 * 1024)
async def enter(visit: Visit) -> Answer:
    """申込内容の確認へ."""
    return await entry.save(visit, await _sheet(visit), visit.request.path)


async def _kinds(visit: Visit) -> tuple[str, dict[str, Any]]:
    if visit.args["menu"] not in MENUS:
        raise NoSuchPage
    if visit.args["menu"] != EXEMPT:
        visit.demand_step_up()
    title, keys = MENUS[visit.args["menu"]]
    known = {one["key"]: one for one in await visit.ask(Gateway.APPLICATIONS, "GET", "/procedures")}
    return title, {key: known[key] for key in keys if key in known}


async def _sheet(visit: Visit) -> InputSheet:
    _title, kinds = await _kinds(visit)
    kind = kinds.get(visit.args["procedure"])
    if kind is None:
        raise NoSuchPage
    if not kind["may_enter"]:
        raise entry.NotAllowed
    return plain(visit.args["menu"], kind)
