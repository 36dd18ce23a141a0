"""Webユーザー（申込者）新規登録 and 情報変更: input, confirmation, completion (R125 to R142, R146 to R162)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from portal.answers import Answer
from portal.delays import until_everywhere
from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.screens import persons
from portal.visits import Visit

screens = Screens()

NEW: Final = "/applicants/new"
CHANGE: Final = "/applicants/{user_id:[0-9]{12}}/change"
EMPTY: Final = {"entry": "none", "contract_data": "none", "application_data": "none", "rider_codes": []}


@screens.get(NEW, needs=Needs.USER)
async def show_new(visit: Visit) -> Answer:
    """新規登録: input."""
    return await _input(visit, {"values": EMPTY} | visit.state)


@screens.post(NEW, needs=Needs.USER)
async def enter_new(visit: Visit) -> Answer:
    """確認する, or 反映 of the rider codes."""
    return _entered(visit, NEW, _typed(visit))


@screens.get(f"{NEW}/confirmation", needs=Needs.USER)
async def confirm_new(visit: Visit) -> Answer:
    """新規登録: confirmation."""
    return await _confirmation(visit, NEW, f"{NEW.removesuffix('/new')}/validation")


@screens.post(f"{NEW}/confirmation", needs=Needs.USER)
async def register(visit: Visit) -> Answer:
    """確定する: the key in the input makes a repetition harmless."""
    state = visit.state
    if "key" not in state:
        return visit.go(NEW)
    body, key = _body(state["values"]), {"Idempotency-Key": state["key"]}
    try:
        done = await visit.ask(Gateway.IDENTITY, "POST", "/applicants", json=body, headers=key)
    except Refused as refusal:
        return _back(visit, NEW, state["values"], refusal)
    kept = {name: done[name] for name in ("user_id", "password_sent_to", "message")}
    return visit.go(f"{NEW}/done", kept)


@screens.get(f"{NEW}/done", needs=Needs.USER)
async def show_registered(visit: Visit) -> Answer:
    """Webユーザー(申込者)登録完了."""
    if not (done := visit.state):
        return visit.go("/applicants")
    return visit.page("applicants/registered.html", done=done)


@screens.get(CHANGE, needs=Needs.USER)
async def show_change(visit: Visit) -> Answer:
    """情報変更: input over the present values."""
    state = visit.state
    if "values" not in state:
        found = await visit.ask(Gateway.IDENTITY, "GET", f"/applicants/{visit.args['user_id']}")
        state = {"values": found | {"rider_codes": [one["rider_code"] for one in found["rider_codes"]]}}
    return await _input(visit, state)


@screens.post(CHANGE, needs=Needs.USER)
async def enter_change(visit: Visit) -> Answer:
    """確認する, or 反映 of the rider codes."""
    values = _typed(visit) | {"enabled": persons.flag(visit.form.get("enabled"))}
    values["version"] = int(visit.state["version"]) if "version" in visit.state else 1
    return _entered(visit, visit.request.path, values)


@screens.get(f"{CHANGE}/confirmation", needs=Needs.USER)
async def confirm_change(visit: Visit) -> Answer:
    """情報変更: confirmation."""
    user_id = visit.args["user_id"]
    return await _confirmation(visit, f"/applicants/{user_id}/change", f"/applicants/{user_id}/validation")


@screens.post(f"{CHANGE}/confirmation", needs=Needs.USER)
async def change(visit: Visit) -> Answer:
    """確定する; what was done already is done, what somebody else changed is shown."""
    state, path = visit.state, f"/applicants/{visit.args['user_id']}"
    if "key" not in state:
        return visit.go(f"{path}/change")
    try:
        done = await visit.ask(Gateway.IDENTITY, "PUT", path, json=_body(state["values"]))
    except Refused as refusal:
        if refusal.kind == "stale-version" and await _is_done(visit, state["values"], refusal):
            return visit.go(f"{path}/change/done", {"message": "Webユーザー(申込者)の情報を変更しました。"})
        return _back(visit, f"{path}/change", state["values"], refusal)
    return visit.go(f"{path}/change/done", {"message": done["message"] + until_everywhere(done)})


@screens.get(f"{CHANGE}/done", needs=Needs.USER)
async def show_changed(visit: Visit) -> Answer:
    """Webユーザー(申込者)情報変更完了."""
    if not (done := visit.state):
        return visit.go("/applicants")
    return visit.page("applicants/changed.html", message=done["message"])


async def _input(visit: Visit, state: Mapping[str, Any]) -> Answer:
    riders = await visit.ask(Gateway.IDENTITY, "GET", "/rider-codes")
    newer: list[Any] = []
    if state.get("stale"):
        state, newer = await persons.over_newest(state, lambda values: _validate(visit, values))
    form, user_id = persons.form_of(state), visit.args.get("user_id")
    listed = list(form.value("rider_codes") or [])
    with_riders = riders["uses_comprehensive_insurance"] or form.value("contract_data") == "listed_riders"
    return visit.page(
        "applicants/input.html",
        form=form,
        labels=persons.LABELS,
        choices=persons,
        user_id=user_id,
        with_riders=with_riders,
        listed=listed,
        offered=sorted({*riders["rider_codes"], *listed}),
        newer=newer,
        notice=persons.STALE if state.get("stale") else "",
    )


async def _validate(visit: Visit, values: Mapping[str, Any]) -> Any:
    """What the gateway says of a change."""
    path = f"/applicants/{visit.args['user_id']}/validation"
    return await visit.ask(Gateway.IDENTITY, "POST", path, json=_body(values))


def _entered(visit: Visit, path: str, values: dict[str, Any]) -> Answer:
    if visit.form.get("action") == "riders":
        return visit.go(
            path, {"values": values | {"rider_codes": visit.choices.get("checked", [])}}, part="contract_data"
        )
    form = Form(values)
    form.require(persons.MANDATORY)
    if not form.sound:
        return visit.go(path, {"values": values, "errors": form.errors})
    return visit.go(f"{path}/confirmation", {"values": values, "key": str(uuid4())})


async def _confirmation(visit: Visit, path: str, validation: str) -> Answer:
    state = visit.state
    if "key" not in state:
        return visit.go(path)
    try:
        found = await visit.ask(Gateway.IDENTITY, "POST", validation, json=_body(state["values"]))
        rights = {name: _body(state["values"])[name] for name in (*EMPTY,)}
        meaning = await visit.ask(Gateway.IDENTITY, "POST", "/permissions/preview", json=rights)
    except Refused as refusal:
        return _back(visit, path, state["values"], refusal)
    return visit.page(
        "applicants/confirmation.html",
        items=[item for item in found["items"] if item["field"] != "rider_codes" or item["value"] or item["changed"]],
        warnings=persons.advice(found),
        sentences=meaning["sentences"],
        again=visit.go(path, {"values": state["values"]}).location,
        changing=path != NEW,
        nothing_new=path != NEW and not found["changed"],
    )


def _back(visit: Visit, path: str, values: Mapping[str, Any], refusal: Refused) -> Answer:
    """To the input, with what the gateway says beside the fields. Raises what has no place there."""
    if refusal.kind == "stale-version":
        newer = dict(values) | {"version": refusal.problem["version"]}
        return visit.go(path, {"values": newer, "stale": True})
    if refusal.status == 422:
        return visit.go(path, {"values": values, "errors": refusal.fields})
    raise refusal


async def _is_done(visit: Visit, values: Mapping[str, Any], refusal: Refused) -> bool:
    """Whether the newer version is just what was wished: a second click, or a repetition after a silence."""
    try:
        found = await _validate(visit, {**values, "version": refusal.problem["version"]})
    except Refused:
        return False  # what is refused is not what is saved
    return not found["changed"]


def _typed(visit: Visit) -> dict[str, Any]:
    choices = persons.typed(visit, *persons.PERSON, "entry", "contract_data", "application_data")
    return choices | {"rider_codes": visit.choices.get("listed", [])}


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the gateway wants them; rider codes count only where they are asked for."""
    names = (*persons.PERSON, *EMPTY, "enabled", "version")
    body = {name: values[name] for name in names if name in values}
    if body["contract_data"] != "listed_riders":
        body["rider_codes"] = []
    return body
