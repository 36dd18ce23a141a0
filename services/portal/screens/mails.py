"""メールの送信状況: what was mailed to the company, when, to whom, with what end; never its words (N4)."""

from typing import Final

from portal.answers import Answer
from portal.entry import demand_administrator
from portal.gateways import Gateway
from portal.narrowing import asked_for, listed
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

STATES: Final = {
    "received": "送信待ち",
    "sending": "送信中",
    "sent": "送信済み",
    "retrying": "再送待ち",
    "failed": "送信できませんでした",
    "expired": "期限切れのため送信しませんでした",
    "superseded": "新しいメールに置き換えられました",
    "unknown": "送信結果を確認できません",
}
FILTERS: Final = ("number", "user_id", "before")
SIZE: Final = 50


@screens.get("/mails", needs=Needs.USER)
async def show(visit: Visit) -> Answer:
    """The newest first, narrowed by application or user, by page."""
    demand_administrator(visit)
    asked = asked_for(visit, FILTERS)
    addresses = await visit.ask(Gateway.NOTIFIER, "GET", "/company/failing-addresses")
    form, found = await listed(visit, Gateway.NOTIFIER, "/company/mails", asked, {"limit": SIZE})
    mails = found["mails"] if found else []
    return visit.page(
        "mails/list.html", form=form, mails=mails, asked=asked, states=STATES, addresses=addresses["addresses"],
        before=mails[-1]["place"] if len(mails) == SIZE else None,
    )  # fmt: skip
