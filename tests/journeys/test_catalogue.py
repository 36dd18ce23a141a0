"""Somebody carries out every operation of the catalogue, and the downloaded history shows each as it is printed."""

import asyncio
import base64
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from applications.rules.procedures import KINDS
from contracts.nexi import Document, ProcedureCompleted
from contracts.operations import PRINTED, REPORTED, Operation
from deploy.local.outsiders import Outside, Person, secret_in
from deploy.local.seed import first_login, head_office
from tests.support.eventually import eventually

PDF = b"%PDF-1.4\n%%EOF\n"
JAPAN = timedelta(hours=9)


async def applied(person: Person, procedure: str) -> str:
    """One application, confirmed and submitted; answers its number."""
    wish = {"procedure": procedure, "content": {"goods": "machine"}}
    draft = await person.call("POST", "applications", "/applications", json=wish)
    path = f"/applications/{draft['number']}/submission"
    await person.call("POST", "applications", path, json={"version": draft["version"]})
    return str(draft["number"])


async def notice_of(person: Person, number: str) -> bytes:
    """NEXI completes an application with a 通知書, which is then downloaded."""
    document = Document(title="通知書", pdf=base64.b64encode(PDF).decode())
    await person.outside.say(ProcedureCompleted(issued_at=datetime.now(UTC), number=number, document=document))

    async def completed() -> bool:
        shown = await person.call("GET", "applications", f"/applications/{number}")
        return bool(shown["state"] == "completed")

    await eventually(completed)
    return bytes(await person.call("GET", "applications", f"/applications/{number}/notice"))


async def report(person: Person, operation: Operation) -> None:
    """Another front end reports what its user has done there."""
    headers = person.headers() | {"Idempotency-Key": secrets.token_hex(8)}
    await person.outside.call("POST", "audit", "/operations", json={"operation": operation}, headers=headers)


@pytest.mark.requirement(
    "R254", "R256", "R257", "R258", "R259", "R260", "R262", "R263", "R264", "R265", "R266", "R267", "R269", "R270",
    "R271", "R272", "R274", "R275", "R277", "R278", "R280", "R281", "R282", "R283", "R284", "R286", "R287", "R288",
    "R289", "R290", "R291", "R293", "R294", "R295", "R296", "R298", "R299", "R300", "R301", "R302", "R303", "R304",
    "R305", "R306", "H1",
)  # fmt: skip
async def test_every_operation_of_the_catalogue_reaches_the_file(outside: Outside) -> None:
    code = f"{secrets.randbelow(900_000_000) + 100_000_000}"
    await outside.say(head_office(code, f"taro-{code}@sample.com"))
    person, _ = await first_login(outside, f"{code}000", secret_in(await outside.letter_to(f"{code}000")))
    numbers = [await applied(person, kind.key) for kind in KINDS if kind.application]
    await person.look_at_applications(numbers[0])
    assert await notice_of(person, numbers[0]) == PDF
    await asyncio.gather(*(report(person, operation) for operation in REPORTED))

    days = {f"{moment + JAPAN:%Y-%m-%d}" for moment in (datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC))}
    question = {"first_day": min(days), "last_day": max(days)}

    async def shown() -> list[str]:
        found = await person.call("POST", "audit", "/access-history/searches", json=question)
        if found["records"] < len(Operation):
            return []
        csv = await person.call("GET", "audit", f"/access-history/searches/{found['id']}/csv")
        lines = [line.split(",")[2] for line in csv.decode("utf-8-sig").splitlines()[1:]]
        return lines if len(set(lines)) == len(Operation) else []

    assert set(await eventually(shown)) == set(PRINTED.values())
