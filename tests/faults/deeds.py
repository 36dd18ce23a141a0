"""What people and NEXI's systems do: each deed goes as far as it is let, and leaves its actions in the journal."""

import asyncio
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.nexi import OperationPerformed, ProcedureCompleted
from contracts.operations import Operation
from tests.applications.fronts import ACCOUNT, JAPAN, PDF, notice
from tests.faults.crowd import PASSWORD, Crowd, Reply
from tests.faults.house import House
from tests.faults.journal import Action
from tests.support import callers, unique

MAIL_SECONDS = 4.0
HEARD = (401, 403, 409)
"""Statuses with which a wrong password or code is refused and recorded."""


async def begin(crowd: Crowd, code: str, procedure: str, content: dict[str, Any]) -> Reply:
    """Arrive at the confirmation screen."""
    return await crowd.act(
        code, "applications", "POST", "/applications", "applications.draft_saved",
        json={"procedure": procedure, "content": content}, headers={"Idempotency-Key": secrets.token_hex(8)},
    )  # fmt: skip


async def submit(crowd: Crowd, code: str, draft: Any) -> Reply:
    """申込む."""
    said = "account_procedure_submitted" if draft["procedure"].startswith("account_") else "application_submitted"
    return await crowd.act(
        code, "applications", "POST", f"/applications/{draft['number']}/submission", f"applications.{said}",
        json={"version": draft["version"], "acknowledged": True}, headers={"Idempotency-Key": secrets.token_hex(8)},
    )  # fmt: skip


async def change_profile(crowd: Crowd, code: str, *, days: int = 0, early: bool = False) -> None:
    """Draft, correct, submit; NEXI completes it, for a day to come or before it was even submitted."""
    today = datetime.now(JAPAN).date()
    wish = {"wished_date": today.isoformat(), "name": f"見本{secrets.randbelow(10**6):06d}商事"}
    drafted = await begin(crowd, code, "policyholder_change", wish)
    if not drafted.good:
        return
    corrected = await crowd.act(
        code, "applications", "PUT", f"/applications/{drafted.body['number']}", "applications.draft_saved",
        json={"version": drafted.body["version"], "content": wish | {"phone": "06-9999-9999"}},
    )  # fmt: skip
    if not corrected.good:
        return
    said = ProcedureCompleted(
        issued_at=datetime.now(UTC), number=drafted.body["number"], effective_date=today + timedelta(days=days),
        document=notice(),
    )  # fmt: skip
    if early:
        await crowd.nexi.say(said)
    if (await submit(crowd, code, corrected.body)).good and not early:
        await crowd.nexi.say(said)


async def register_account(crowd: Crowd, code: str) -> None:
    """口座登録, which accounts carries out at once."""
    wish = ACCOUNT | {"account_number": f"{secrets.randbelow(10**7):07d}"}
    drafted = await begin(crowd, code, "account_registration", wish)
    if drafted.good:
        await submit(crowd, code, drafted.body)


async def apply_with_file(crowd: Crowd, code: str) -> None:
    """電子申請 with a PDF."""
    drafted = await begin(crowd, code, "electronic_application", {"subject": "件名"})
    if not drafted.good:
        return
    attached = await crowd.act(
        code, "applications", "POST", f"/applications/{drafted.body['number']}/attachments?name=a.pdf",
        "applications.draft_saved", headers={"Content-Type": "application/pdf"}, data=PDF,
    )  # fmt: skip
    if attached.good:
        await submit(crowd, code, attached.body)


async def look(crowd: Crowd, code: str) -> Reply:
    """Web申込状況一覧, a request that changes nothing and is recorded."""
    return await crowd.act(code, "applications", "GET", "/applications", "applications.application_list_viewed")


async def report(crowd: Crowd, code: str) -> Reply:
    """A front end reports what its user did."""
    return await crowd.act(
        code, "audit", "POST", "/operations", "audit.operation_reported",
        json={"operation": Operation.BUYER_BOOKMARK}, headers={"Idempotency-Key": secrets.token_hex(8)},
    )  # fmt: skip


async def perform(crowd: Crowd, code: str) -> None:
    """Another system of NEXI's says what a Web user did there."""
    word, now = unique.word("w"), datetime.now(UTC)
    who = callers.administrator(code, name=word).operator
    done = OperationPerformed(issued_at=now, performed_at=now, operator=who, operation=Operation.BUYER_BOOKMARK)
    action = Action(OperationPerformed.wire_type(), word)
    await crowd.journal.invoke(action)
    await crowd.journal.end(action, await crowd.nexi.say(done))


async def export(crowd: Crowd, code: str) -> None:
    """アクセス履歴出力."""
    day = datetime.now(JAPAN).date().isoformat()
    searched = await crowd.act(
        code, "audit", "POST", "/access-history/searches", "audit.history_searched",
        json={"first_day": day, "last_day": day},
    )  # fmt: skip
    if searched.good and searched.body["records"]:
        path = f"/access-history/searches/{searched.body['id']}/csv"
        await crowd.act(code, "audit", "GET", path, "audit.history_exported")


async def visit(crowd: Crowd, code: str, *, leave: bool = True, patience: float = MAIL_SECONDS) -> Reply:
    """Log in (once with a wrong password), enter a one-time password, log out. `patience`: seconds for the mail."""
    came = Visitor(crowd, code)
    began = await came.log_in("x" * 16)
    if began.status == 401:
        began = await came.log_in(PASSWORD)
    if began.good:
        await came.step_up(patience)
        if leave:
            await came.ask("logged_out", "DELETE", "/sessions/current")
    return began


class Visitor:
    """An administrator at a browser, who comes from an address that nobody had before."""

    def __init__(self, crowd: Crowd, code: str) -> None:
        self.crowd, self.code = crowd, code
        self.source = "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))
        self.held = {"X-Forwarded-For": self.source}

    async def ask(self, event: str, method: str, path: str, **request: Any) -> Reply:
        """A request that is recorded with the address."""
        action = Action(f"identity.{event}", self.source, "source_address")
        return await self.crowd.ask("identity", method, path, action, headers=self.held, **request)

    async def log_in(self, password: str) -> Reply:
        """Open a session."""
        event = "login_succeeded" if password == PASSWORD else "login_failed"
        refusals = HEARD if event == "login_failed" else ()
        given = {"user_id": f"{self.code}000", "password": password}
        reply = await self.ask(event, "POST", "/sessions", recorded_refusals=refusals, json=given)
        if reply.good:
            self.held["X-Session-Token"] = reply.body["session_token"]
        return reply

    async def step_up(self, patience: float) -> None:
        """Have a one-time password mailed and enter it."""
        token = await self.crowd.ask("identity", "POST", "/access-tokens", headers=self.held)
        if not token.good:
            return
        self.held["Authorization"] = f"Bearer {token.body['access_token']}"
        before = len(self.crowd.house.relay.to(f"{self.code}@sample.com"))
        path = "/one-time-passwords"
        if (await self.ask("one_time_password_issued", "POST", path)).good:
            entry = {"code": await mailed(self.crowd.house, f"{self.code}@sample.com", before, patience)}
            await self.ask("one_time_password_entered", "POST", f"{path}/entries", recorded_refusals=HEARD, json=entry)


async def mailed(house: House, address: str, before: int, patience: float) -> str:
    """The newest code that came to an address; nothing sensible when none comes soon."""
    try:
        async with asyncio.timeout(patience):
            while True:
                for taken in reversed(house.relay.to(address)[before:]):
                    if found := re.search(r"ワンタイムパスワード\s*[：:]\s*([0-9]{8})", taken.message.get_content()):
                        return found[1]
                await asyncio.sleep(0.02)
    except TimeoutError:
        return "00000000"
