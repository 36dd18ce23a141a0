"""Webユーザー（管理者）情報変更, with the new e-mail address and the page behind its link (R110 to R120, E1 to E3)."""

from collections.abc import Mapping
from typing import Any, Final

from portal.answers import Answer
from portal.delays import until_everywhere
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.screens import persons
from portal.visits import Visit

screens = Screens()

PATH: Final = "/administrator"
FIELDS: Final = (*persons.PERSON, "one_time_password", "version")


@screens.get(PATH, needs=Needs.USER)
async def show_input(visit: Visit) -> Answer:
    """Input over the present values."""
    present = await visit.ask(Gateway.IDENTITY, "GET", PATH)
    state: Mapping[str, Any] = visit.state
    stale = bool(state.get("stale"))
    newer: list[Any] = []
    if stale:
        state, newer = await persons.over_newest(state, lambda values: _validate(visit, values))
    return visit.page(
        "administrator/input.html",
        form=persons.form_of({"values": present, **state}),
        labels=persons.LABELS,
        choices=persons,
        present=present,
        newer=newer,
        notice=persons.STALE if stale else state.get("notice", ""),
    )


@screens.post(PATH, needs=Needs.USER)
async def enter(visit: Visit) -> Answer:
    """確認する; or the open request for a new address is taken back."""
    if visit.form.get("action") == "withdraw":
        return await _withdraw(visit)
    values = persons.typed(visit, *persons.PERSON)
    values["one_time_password"] = persons.flag(visit.form.get("one_time_password"))
    values["version"] = visit.state.get("version", 1)
    form = Form(values)
    form.require(persons.MANDATORY)
    if not form.sound:
        return visit.go(PATH, {"values": values, "errors": form.errors})
    return visit.go(f"{PATH}/confirmation", {"values": values})


@screens.get(f"{PATH}/confirmation", needs=Needs.USER)
async def show_confirmation(visit: Visit) -> Answer:
    """Confirmation; a new address asks for the current password again."""
    state = visit.state
    if "values" not in state:
        return visit.go(PATH)
    try:
        found = await _validate(visit, state["values"])
    except Refused as refusal:
        return _back(visit, state["values"], refusal)
    return visit.page(
        "administrator/confirmation.html",
        form=Form(errors=state.get("errors", {})),
        labels=persons.LABELS,
        items=found["items"],
        warnings=persons.advice(found),
        needs_password=found["needs_current_password"],
        nothing_new=not found["changed"],
        again=visit.go(PATH, {"values": state["values"]}).location,
    )


@screens.post(f"{PATH}/confirmation", needs=Needs.USER)
async def confirm(visit: Visit) -> Answer:
    """確定する."""
    values = visit.state.get("values")
    if values is None:
        return visit.go(PATH)
    password = str(visit.form.get("current_password", ""))
    body = _body(values) | ({"current_password": password} if password else {})
    try:
        done = await visit.ask(Gateway.IDENTITY, "PUT", PATH, json=body)
    except Refused as refusal:
        return await _refused(visit, values, refusal)
    await visit.renew()
    change = done["email_change"]
    shown = {"message": done["message"], "address": change and change["address"], "notice": until_everywhere(done)}
    return visit.go(f"{PATH}/done", shown)


@screens.get(f"{PATH}/done", needs=Needs.USER)
async def show_done(visit: Visit) -> Answer:
    """Webユーザー（管理者）情報変更完了: one screen with, one without a new address (R118)."""
    if not (done := visit.state):
        return visit.go(PATH)
    visit.notice = done.get("notice", "")
    return visit.page("administrator/done.html", done=done)


async def _refused(visit: Visit, values: Mapping[str, Any], refusal: Refused) -> Answer:
    if refusal.kind == "password-locked":
        return visit.go("/password-error")
    if refusal.kind == "wrong-password" or "current_password" in refusal.fields:
        sentences = refusal.fields.get("current_password", [refusal.detail])
        return visit.go(f"{PATH}/confirmation", {"values": values, "errors": {"current_password": sentences}})
    if refusal.kind == "stale-version" and await _is_done(visit, values, refusal):
        present = await visit.ask(Gateway.IDENTITY, "GET", PATH)
        pending = present["pending_email"]
        message = "Webユーザー（管理者）の情報を変更しました。"
        return visit.go(f"{PATH}/done", {"message": message, "address": pending and pending["address"]})
    return _back(visit, values, refusal)


async def _is_done(visit: Visit, values: Mapping[str, Any], refusal: Refused) -> bool:
    """Whether all but an address that waits for its link is as wished: a second click."""
    try:
        found = await _validate(visit, {**values, "version": refusal.problem["version"]})
    except Refused:
        return False  # what is refused is not what is saved
    if found["changed"] == ["email"]:
        present = await visit.ask(Gateway.IDENTITY, "GET", PATH)
        pending = present["pending_email"]
        return pending is not None and pending["address"] == values["email"]
    return not found["changed"]


async def _validate(visit: Visit, values: Mapping[str, Any]) -> Any:
    """What the gateway says of a change."""
    return await visit.ask(Gateway.IDENTITY, "POST", f"{PATH}/validation", json=_body(values))


def _back(visit: Visit, values: Mapping[str, Any], refusal: Refused) -> Answer:
    if refusal.kind == "stale-version":
        return visit.go(PATH, {"values": dict(values) | {"version": refusal.problem["version"]}, "stale": True})
    if refusal.status == 422:
        return visit.go(PATH, {"values": values, "errors": refusal.fields})
    raise refusal


async def _withdraw(visit: Visit) -> Answer:
    try:
        await visit.ask(Gateway.IDENTITY, "DELETE", f"{PATH}/email-change")
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return visit.go(PATH, {"notice": "取り消せるメールアドレス変更の手続きはありません。"})
    return visit.go(PATH, {"notice": "メールアドレス変更の手続きを取り消しました。"})


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in FIELDS}
