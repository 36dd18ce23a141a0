"""A front end as the tests drive it, and the things that people apply for."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import aiohttp

from contracts.accounts import AccountProcedureApplied, AccountProcedureRefused, ProfileChanged
from contracts.caller import Caller
from contracts.nexi import Document, Office, ProcedureCompleted, ProcedureRejected, Profile
from tests.support.eventually import eventually
from tests.support.platform import Platform

JAPAN = ZoneInfo("Asia/Tokyo")
PDF = b"%PDF-1.7\n" + b"1 0 obj <<>> endobj\n" * 40 + b"trailer <<>>\n%%EOF\n"
ACCOUNT = {
    "bank_code": "0001",
    "branch_code": "001",
    "deposit_type": "ordinary",
    "account_number": "1234567",
    "holder": "見本商事株式会社",
    "holder_kana": "ミホンショウジ（カ",
    "use": "premium_refund",
}


@dataclass(frozen=True)
class Reply:
    """An answer of the gateway."""

    status: int
    body: Any
    headers: Any

    @property
    def kind(self) -> str:
        """The problem's type, without its folder."""
        return str(self.body["type"]).rpartition("/")[2]

    @property
    def fields(self) -> dict[str, str]:
        """Broken rules by field."""
        return {one["field"]: one["rule"] for one in self.body["errors"]}


@dataclass
class Front:
    """One signed-in user's screen."""

    client: aiohttp.ClientSession
    url: str
    headers: dict[str, str]
    caller: Caller

    async def ask(self, method: str, path: str, *, key: str | None = None, **options: Any) -> Reply:
        """One request; JSON in and out."""
        headers = self.headers | options.pop("headers", {}) | ({"Idempotency-Key": key} if key else {})
        async with self.client.request(method, f"{self.url}{path}", headers=headers, **options) as answer:
            is_json = "json" in answer.content_type
            return Reply(answer.status, await answer.json() if is_json else await answer.read(), answer.headers)

    async def confirm(self, procedure: str, content: Any, **options: Any) -> Reply:
        """Go on to the confirmation screen for the first time."""
        return await self.ask("POST", "/applications", json={"procedure": procedure, "content": content}, **options)

    async def draft(self, procedure: str = "buyer_registration", content: Any = None) -> Any:
        """A confirmed draft."""
        reply = await self.confirm(procedure, {"buyer": "ABC"} if content is None else content)
        assert reply.status == 201, reply
        return reply.body

    async def correct(self, number: str, version: int, content: Any, **options: Any) -> Reply:
        """修正する, then confirm again."""
        return await self.ask(
            "PUT", f"/applications/{number}", json={"version": version, "content": content}, **options
        )

    async def submit(self, draft: Any, *, acknowledged: bool | None = None, **options: Any) -> Reply:
        """申込む what was confirmed."""
        said = {"version": draft["version"]} | ({} if acknowledged is None else {"acknowledged": acknowledged})
        return await self.ask("POST", f"/applications/{draft['number']}/submission", json=said, **options)

    async def withdraw(self, draft: Any) -> Reply:
        """Give a draft up."""
        return await self.ask("POST", f"/applications/{draft['number']}/withdrawal", json={"version": draft["version"]})

    async def submitted(self, procedure: str = "buyer_registration", content: Any = None) -> Any:
        """A submitted application."""
        reply = await self.submit(await self.draft(procedure, content))
        assert reply.status == 200, reply
        return reply.body

    async def show(self, number: str) -> Any:
        """The application as this user sees it now."""
        return (await self.ask("GET", f"/applications/{number}")).body

    async def state(self, number: str) -> str:
        """Where it stands."""
        return str((await self.show(number))["state"])

    async def list(self, **query: Any) -> Reply:
        """Web申込状況一覧."""
        return await self.ask("GET", "/applications", params=query)


def today() -> str:
    """By Japan time, as a wished date is written."""
    return datetime.now(JAPAN).date().isoformat()


def profile(office: Office = Office.HEAD, **changed: Any) -> Profile:
    """A policyholder's profile."""
    given: dict[str, Any] = {
        "office": office,
        "name": "見本商事株式会社",
        "kana": "ミホンショウジカブシキカイシャ",
        "postal_code": "111-1111",
        "address": "東京都千代田区千代田１－１－１",
        "phone": "06-1234-5678",
    }
    if office is Office.HEAD:
        given |= {
            "registered_address": "東京都千代田区千代田１－１－１",
            "representative_title": "代表取締役",
            "representative_name": "日本　太郎",
            "home_page": "http://www.example.co.jp/",
        }
    return Profile(**given | changed)


async def tell_profile(platform: Platform, front: Front, office: Office = Office.HEAD, version: int = 1) -> None:
    """accounts says which profile is in force; returns when applications has heard it."""
    code = front.caller.operator.policyholder_code
    known = profile(office)
    (said,) = await platform.say("accounts", ProfileChanged(policyholder_code=code, profile=known, version=version))
    database = (await platform.start("applications")).database

    async def heard() -> bool:
        return bool(await database.fetchval("select exists (select from inbox where id = $1)", said))

    await eventually(heard)


def completed(number: str, **said: Any) -> ProcedureCompleted:
    """NEXI's word that everything is complete."""
    return ProcedureCompleted(**{"issued_at": datetime.now(UTC), "number": number} | said)


def rejected(number: str, reason: str = "記載内容に不備があります。", **said: Any) -> ProcedureRejected:
    """NEXI's word that it refuses."""
    return ProcedureRejected(**{"issued_at": datetime.now(UTC), "number": number, "reason": reason} | said)


def notice(pdf: bytes = PDF) -> Document:
    """A 通知書."""
    return Document(title="通知書", pdf=base64.b64encode(pdf).decode())


def applied(number: str, code: str, account_id: UUID | None = None) -> AccountProcedureApplied:
    """accounts' word that it carried the procedure out."""
    return AccountProcedureApplied(
        number=number, policyholder_code=code, account_id=account_id or uuid4(), applied_at=datetime.now(UTC)
    )


def refused(number: str, code: str, reason: str = "同じ口座が登録されています。") -> AccountProcedureRefused:
    """accounts' word that it will not."""
    return AccountProcedureRefused(number=number, policyholder_code=code, reason=reason)
