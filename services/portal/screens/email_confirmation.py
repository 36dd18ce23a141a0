"""The page behind the link in the mail to a new address: opening it changes nothing, its button confirms (E3)."""

from typing import Final

from portal.answers import Answer
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

PATH: Final = "/email-confirmation"


@screens.get(PATH, needs=Needs.NOBODY)
async def show_page(visit: Visit) -> Answer:
    """The token stands behind the #, where no server sees it; the script, or the person, puts it into the form."""
    return visit.page("administrator/email_confirmation.html", refusal=visit.state.get("refusal", ""))


@screens.post(PATH, needs=Needs.NOBODY, limit=8192)
async def confirm(visit: Visit) -> Answer:
    """メールアドレスの変更を確定する."""
    token = str(visit.form.get("token", "")).strip().rpartition("#token=")[2]
    try:
        done = await visit.ask(Gateway.IDENTITY, "POST", "/email-changes/confirmation", json={"token": token})
    except Refused as refusal:
        wrong = "このURLは正しくありません。メールに記載されているURLをもう一度ご確認ください。"
        return visit.go(PATH, {"refusal": wrong if refusal.status == 422 else refusal.detail})
    return visit.go(f"{PATH}/done", {"message": done["message"], "address": done["address"]})


@screens.get(f"{PATH}/done", needs=Needs.NOBODY)
async def show_done(visit: Visit) -> Answer:
    """The new address is in force."""
    if not (done := visit.state):
        return visit.go(PATH)
    return visit.page("administrator/email_confirmed.html", done=done)
