"""ヘルプ: what the fields of a screen mean; how to print; and menus that other parts of the Web service serve."""

from typing import Final

from portal.answers import Answer
from portal.rendering import help_texts
from portal.routing import Needs, Screens
from portal.troubles import NoSuchPage
from portal.visits import Visit

screens = Screens()

TEXTS: Final = help_texts()
ELSEWHERE: Final = {
    "premium_estimation_detailed": ("保険料試算（詳細版）", "6章 保険料試算"),
    "buyer_inquiry": ("海外商社情報", "5章 各種情報照会"),
    "contract_inquiry": ("保険契約情報", "5章 各種情報照会"),
}
"""Menus whose screens belong to other systems: label, chapter of the manual."""


@screens.get("/help", needs=Needs.NOBODY)
async def show_all_help(visit: Visit) -> Answer:
    """Printing, and the screens that have help."""
    return visit.page("help/all.html", texts=TEXTS)


@screens.get("/help/{screen}", needs=Needs.NOBODY)
async def show_help(visit: Visit) -> Answer:
    """The fields of one screen."""
    if visit.args["screen"] not in TEXTS:
        raise NoSuchPage
    return visit.page("help/screen.html", text=TEXTS[visit.args["screen"]])


@screens.get("/elsewhere/{menu}", needs=Needs.USER)
async def show_elsewhere(visit: Visit) -> Answer:
    """A menu that another system serves: where it is described (R27, R28)."""
    if visit.args["menu"] not in ELSEWHERE:
        raise NoSuchPage
    label, chapter = ELSEWHERE[visit.args["menu"]]
    if visit.args["menu"] == "contract_inquiry":
        visit.demand_step_up()
    return visit.page("help/elsewhere.html", label=label, chapter=chapter, pattern=2)
