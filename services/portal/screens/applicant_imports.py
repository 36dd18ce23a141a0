"""Applicants by a CSV file: a dry run that names every error by its row, then all of them, or none."""

import base64
from typing import Any, Final
from uuid import uuid4

from aiohttp.web import FileField

from portal.answers import Answer
from portal.gateways import Gateway, Refused
from portal.routing import Needs, Screens
from portal.visits import Visit

screens = Screens()

PATH: Final = "/applicants/import"
MOST: Final = 1024 * 1024
CSV: Final = {"Content-Type": "text/csv"}


@screens.get(PATH, needs=Needs.USER)
async def show_upload(visit: Visit) -> Answer:
    """CSVファイルで一括登録: the file, and what is wrong with it."""
    visit.demand_step_up()
    state = visit.state
    return visit.page("applicants/import.html", found=state.get("found"), refusal=state.get("refusal", ""))


@screens.post(PATH, needs=Needs.USER, limit=MOST)
async def check_file(visit: Visit) -> Answer:
    """確認する: the dry run; nothing is registered."""
    file = visit.form.get("file")
    content = file.file.read() if isinstance(file, FileField) else b""
    if not content:
        return visit.go(PATH, {"refusal": "CSVファイルを選択してください。"})
    found = await visit.ask(Gateway.IDENTITY, "POST", "/applicant-imports/validation", data=content, headers=CSV)
    if not found["registrable"]:
        return visit.go(PATH, {"found": found})
    kept = {"content": base64.b64encode(content).decode(), "found": found, "key": str(uuid4())}
    return visit.go(f"{PATH}/confirmation", kept)


@screens.get(f"{PATH}/confirmation", needs=Needs.USER)
async def show_confirmation(visit: Visit) -> Answer:
    """How many will be registered, and what to think about before."""
    if "key" not in visit.state:
        return visit.go(PATH)
    return visit.page("applicants/import_confirmation.html", found=visit.state["found"])


@screens.post(f"{PATH}/confirmation", needs=Needs.USER)
async def register_all(visit: Visit) -> Answer:
    """確定する: exactly the file that was checked."""
    state: dict[str, Any] = visit.state
    if "key" not in state:
        return visit.go(PATH)
    headers = CSV | {"Content-Digest-Checked": state["found"]["digest"], "Idempotency-Key": state["key"]}
    content = base64.b64decode(state["content"])
    try:
        done = await visit.ask(Gateway.IDENTITY, "POST", "/applicant-imports", data=content, headers=headers)
    except Refused as refusal:
        if refusal.kind != "file-has-errors":
            raise
        found = state["found"] | {"errors": refusal.problem["errors"], "registrable": False}
        return visit.go(PATH, {"found": found})
    return visit.go(f"{PATH}/done", done)


@screens.get(f"{PATH}/done", needs=Needs.USER)
async def show_registered(visit: Visit) -> Answer:
    """Who was registered, with their new IDs."""
    if not (done := visit.state):
        return visit.go(PATH)
    return visit.page("applicants/imported.html", done=done)


@screens.get(f"{PATH}/template", needs=Needs.USER)
async def download_template(visit: Visit) -> Answer:
    """An empty file with the columns."""
    return await visit.download(Gateway.IDENTITY, "/applicant-imports/template")
