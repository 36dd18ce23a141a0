"""申込内容の入力 for every procedure: opened, typed, checked, saved under its number (R41, R44, R48, R189).

The page hides what it was opened with, sealed. Whatever is not accepted comes back with every value still typed in.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from portal.answers import Answer
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.seals import Unreadable
from portal.sheets.sheet import InputSheet
from portal.visits import Visit

REFRESHED: Final = (
    "ほかの画面または利用者により、この申込みの内容が更新されています。"
    "各項目の現在の保存内容をご確認のうえ、もう一度お進みください。"
)


def key_of(*parts: Any) -> str:
    """The Idempotency-Key of a request: the same button of the same page with the same values is the same request."""
    return str(uuid5(NAMESPACE_URL, repr(parts)))


class NotAllowed(Refused):
    """The input would be refused in the end: that is said before anything is typed."""

    def __init__(self) -> None:
        super().__init__(403, {"type": "/problems/forbidden"})


def demand_administrator(visit: Visit) -> None:
    """For the procedures that are the administrator's alone (P3)."""
    if "administer" not in visit.me["may"]:
        raise NotAllowed


async def show(visit: Visit, sheet: InputSheet, path: str, carried: dict[str, Any], values: dict[str, Any]) -> Answer:
    """The input; `carried` and `values` are for a page that is opened, not for one that comes back.

    A new input moves into an address of its own, which holds its key: back and reload show the same input again, and
    not another one that would lead to a second draft.
    """
    state = visit.state
    if "carried" in state:
        carried, values = state["carried"], state["values"]
    elif "number" not in carried:
        return visit.go(path, {"carried": carried, "values": values})
    form = Form(values, state.get("errors", {}), state.get("advice", {}))
    visit.notice = state.get("notice", "")
    return visit.page(
        sheet.template,
        form=form,
        sheet=sheet,
        carried=visit.seal({"carried": carried}),
        number=carried.get("number"),
        path=path,
        required=sheet.required(carried),
        pattern=sheet.pattern,
        **await sheet.look(visit, carried, values),
    )


async def save(visit: Visit, sheet: InputSheet, path: str) -> Answer:
    """申込内容の確認へ: check, save, and go on; or back to the input with what is wrong."""
    carried = visit.state.get("carried")
    if carried is None:
        raise Unreadable
    values = sheet.read(visit.form) | carried.get("chosen", {})
    elsewhere = sheet.aside(visit, carried, values, path)
    if elsewhere is not None:
        return elsewhere
    form = Form(values)
    form.require(sheet.required(carried))
    if not form.sound:
        return _again(visit, path, carried, values, errors=form.errors)
    try:
        saved = await _send(visit, sheet, carried, values)
    except Refused as refusal:
        return await _refused(visit, sheet, path, carried, values, refusal)
    number = saved["number"]
    return visit.go(f"/applications/{number}/{'attachments' if sheet.attachments else 'confirmation'}")


async def _send(visit: Visit, sheet: InputSheet, carried: dict[str, Any], values: Mapping[str, Any]) -> Any:
    """Save. A new input that has led to a draft before (back in the browser) corrects that draft, while it is one."""
    content = sheet.content(values, carried)
    if "number" in carried:
        return await _correct(visit, carried, content)
    try:
        return await begin(visit, carried["procedure"], content, carried["key"])
    except Refused as refusal:
        if refusal.kind != "key-reused":
            raise
        earlier = {name: refusal.problem[name] for name in ("number", "version")}
    try:
        return await _correct(visit, earlier, content)
    except Refused as refusal:
        if refusal.kind != "wrong-state":
            carried |= earlier
            raise
    return await begin(visit, carried["procedure"], content, key_of(carried["key"], content))


async def begin(visit: Visit, procedure: str, content: dict[str, Any], key: str) -> Any:
    """The first confirmation: allots the number, once for each key (Idempotency-Key)."""
    given = {"procedure": procedure, "content": content}
    headers = {"Idempotency-Key": key}
    return await visit.ask(Gateway.APPLICATIONS, "POST", "/applications", json=given, headers=headers)


async def _correct(visit: Visit, which: Mapping[str, Any], content: dict[str, Any]) -> Any:
    number, version = which["number"], which["version"]
    headers = {"Idempotency-Key": key_of(number, version, content)}
    given = {"version": version, "content": content}
    return await visit.ask(Gateway.APPLICATIONS, "PUT", f"/applications/{number}", json=given, headers=headers)


async def _refused(
    visit: Visit, sheet: InputSheet, path: str, carried: dict[str, Any], values: dict[str, Any], refusal: Refused
) -> Answer:
    if refusal.kind == "wrong-state":
        return visit.go(f"/applications/{carried['number']}")
    if refusal.kind == "stale-version":
        return await _refreshed(visit, sheet, path, carried, values)
    if refusal.status == 422 and refusal.fields:
        return _again(visit, path, carried, values, errors=sheet.place(refusal.fields))
    if refusal.status in (409, 429):
        return _again(visit, path, carried, values, notice=refusal.detail)
    raise refusal


async def _refreshed(
    visit: Visit, sheet: InputSheet, path: str, carried: dict[str, Any], values: dict[str, Any]
) -> Answer:
    """Somebody else saved in between: what was typed stays, what is saved stands beside it."""
    found = await visit.ask(Gateway.APPLICATIONS, "GET", f"/applications/{carried['number']}")
    now = sheet.values(found["content"], carried)
    advice = {name: [f"現在の保存内容: {saved or '（なし）'}"] for name, saved in now.items() if values[name] != saved}
    carried = carried | {"version": found["version"]}
    return _again(visit, path, carried, values, advice=advice, notice=REFRESHED)


def _again(visit: Visit, path: str, carried: dict[str, Any], values: dict[str, Any], **more: Any) -> Answer:
    return visit.go(path, {"carried": carried, "values": values, **more})
