"""Lists that the address narrows down: what was asked for, and what the gateway finds wrong with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from portal.forms import Form
from portal.gateways import Gateway, Refused
from portal.visits import Visit


def asked_for(visit: Visit, names: Iterable[str]) -> dict[str, Any]:
    """These parts of the address; empty fields of a form are no conditions."""
    return {name: visit.query[name].strip() for name in names if visit.query.get(name, "").strip()}


async def listed(
    visit: Visit, gateway: Gateway, path: str, asked: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> tuple[Form, Any]:
    """The form with the conditions, and the gateway's answer; None when they cannot be right."""
    form = Form(dict(asked))
    try:
        return form, await visit.ask(gateway, "GET", path, params={**asked, **(more or {})})
    except Refused as refusal:
        if refusal.status != 422:
            raise
        form.add(refusal.fields)
        return form, None
