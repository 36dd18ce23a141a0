"""操作の記録（会社全体）: what happened beside the catalogue of operations, for the administrator (H2)."""

from typing import Final

from portal.answers import Answer
from portal.entry import demand_administrator
from portal.gateways import Gateway
from portal.narrowing import asked_for, listed
from portal.routing import Needs, Screens
from portal.sheets.plain import in_words
from portal.visits import Visit

screens = Screens()

FILTERS: Final = ("first_day", "last_day", "user_id", "after")


@screens.get("/security-trail", needs=Needs.USER)
async def show(visit: Visit) -> Answer:
    """The newest first, narrowed by days and user, by page; everything is in the address."""
    demand_administrator(visit)
    asked = asked_for(visit, FILTERS)
    form, found = await listed(visit, Gateway.AUDIT, "/security-trail", asked)
    rows, more = (found["rows"], found["next"]) if found else ([], None)
    return visit.page("histories/trail.html", form=form, rows=rows, next=more, asked=asked, words=in_words)
