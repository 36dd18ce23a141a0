"""修正する, 申込内容の確認 and 申込完了 of every procedure: all that they show is asked anew, so that they may be
reloaded, bookmarked and left with the browser's own buttons at any time (R46 to R53, R184 to R199)."""

from typing import Any, Final

from portal import entry
from portal.answers import Answer
from portal.forms import Form, whole_number
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.sheets.catalogue import sheet_of
from portal.sheets.sheet import InputSheet
from portal.visits import Visit

screens = Screens()

CHANGED: Final = "ほかの画面または利用者により内容が更新されています。最新の内容をご確認のうえ、お申込みください。"


async def found_by(visit: Visit) -> Any:
    """The application of the path."""
    return await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{visit.args['number']}")


@screens.get("/applications/{number:[0-9-]+}/input", needs=Needs.USER)
async def show_input(visit: Visit) -> Answer:
    """修正する: the input with what is saved."""
    found = await found_by(visit)
    sheet = sheet_of(found)
    if not found["may_resume"] or not isinstance(sheet, InputSheet):
        return visit.go(f"/applications/{found['number']}")
    carried = {"number": found["number"], "version": found["version"], **await sheet.resume(visit, found)}
    return await entry.show(visit, sheet, visit.request.path, carried, sheet.values(found["content"], carried))


@screens.post("/applications/{number:[0-9-]+}/input", needs=Needs.USER)
async def save_input(visit: Visit) -> Answer:
    """Save under the same number."""
    sheet = sheet_of(found := await found_by(visit))
    if not isinstance(sheet, InputSheet):
        return visit.go(f"/applications/{found['number']}")
    return await entry.save(visit, sheet, visit.request.path)


@screens.get("/applications/{number:[0-9-]+}/confirmation", needs=Needs.USER)
async def show_confirmation(visit: Visit) -> Answer:
    """申込内容の確認, with the number in orange."""
    found = await found_by(visit)
    if not found["may_resume"]:
        finished = found["state"] not in ("draft", "withdrawn")
        return visit.go(f"/applications/{found['number']}" + ("/done" if finished else ""))
    sheet, state = sheet_of(found), visit.state
    visit.notice = state.get("notice", "")
    return visit.page(
        "drafts/confirmation.html",
        found=found,
        sheet=sheet,
        rows=await sheet.rows(visit, found),
        judgement=await sheet.judged(visit, found),
        may_apply="apply" in visit.me["may"],
        form=Form(errors=state.get("errors", {})),
        pattern=sheet.pattern,
    )


@screens.post("/applications/{number:[0-9-]+}/confirmation", needs=Needs.USER)
async def apply(visit: Visit) -> Answer:
    """申込み; number and version make it the same request however often it comes."""
    path = f"/applications/{visit.args['number']}"
    given = {
        "version": whole_number(str(visit.form.get("version", ""))) or 0,
        "acknowledged": "acknowledged" in visit.form,
    }
    try:
        await visit.ask(Gateway.APPLICATIONS, "POST", f"{path}/submission", json=given)
    except Refused as refusal:
        if refusal.kind == "stale-version":
            return visit.go(f"{path}/confirmation", {"notice": CHANGED})
        if refusal.kind == "wrong-state":
            return visit.go(path)
        if refusal.status != 422:
            raise
        return await _back(visit, path, refusal)
    return visit.go(f"{path}/done")


@screens.get("/applications/{number:[0-9-]+}/done", needs=Needs.USER)
async def show_done(visit: Visit) -> Answer:
    """申込完了: number, date and time, and everything that was applied for."""
    found = await found_by(visit)
    if found["submitted_at"] is None:
        return visit.go(f"/applications/{found['number']}")
    sheet = sheet_of(found)
    return visit.page(
        "drafts/done.html", found=found, sheet=sheet, rows=await sheet.rows(visit, found), pattern=sheet.pattern
    )


async def _back(visit: Visit, path: str, refusal: Refused) -> Answer:
    """A missing tick is shown at the confirmation; a content that is no longer right at the input."""
    sheet = sheet_of(found := await found_by(visit))
    errors = sheet.place(refusal.fields)
    if "acknowledged" in errors or not isinstance(sheet, InputSheet):
        return visit.go(f"{path}/confirmation", {"errors": errors})
    carried = {"number": found["number"], "version": found["version"], **await sheet.resume(visit, found)}
    values = sheet.values(found["content"], carried)
    return visit.go(f"{path}/input", {"carried": carried, "values": values, "errors": errors})
