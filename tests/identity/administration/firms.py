"""A policyholder with its administrator, as the administrator's tests find it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from argon2 import PasswordHasher

from chassis.service import Runtime
from chassis.sql import Database
from contracts.caller import Caller
from tests.support import callers, sealing, unique
from tests.support.platform import Platform

PASSWORD = "the current password of a test"
_HASH = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(PASSWORD)

NEW_APPLICANT: dict[str, Any] = {
    "email": "nippo-taro@sample.com",
    "name": "日本　太郎",
    "phone": "03-1234-5678",
    "department": "見本事業部",
    "title": "事業部長",
    "entry": "enter",
    "contract_data": "all",
    "application_data": "own",
}
RIDERS = tuple(f"9999999{number:02d}" for number in range(1, 11))


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def problem(self) -> str:
        """The last part of a problem's type."""
        return str(self.body["type"]).rpartition("/")[2]

    @property
    def broken(self) -> dict[str, str]:
        """Field → rule of a 422."""
        return {one["field"]: one["rule"] for one in self.body["errors"]}


@dataclass
class Firm:
    """One policyholder; requests come from its administrator unless another caller is given."""

    code: str
    platform: Platform
    runtime: Runtime
    client: aiohttp.ClientSession
    database: Database
    administrator: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.administrator = callers.administrator(self.code)

    async def prepare(self, *, riders: tuple[str, ...], comprehensive: bool, one_time_password: bool) -> None:
        """Write the company and its administrator as the provisioning would."""
        await self.database.execute(
            "insert into companies (policyholder_code, name, registered_at, terms_agreed, rider_codes,"
            " riders_issued_at, uses_comprehensive_insurance, uses_one_time_password)"
            " values ($1, '見本商事株式会社', now(), true, $2, now(), $3, $4)",
            self.code, list(riders), comprehensive, one_time_password,
        )  # fmt: skip
        await self.database.execute(
            "insert into users (user_id, policyholder_code, role, name, email, phone, department, title, entry,"
            " contract_data, application_data, password_hash) values ($1, $2, 'administrator', '日本　太郎',"
            " 'admin@sample.com', '03-0000-0000', '見本事業部', '事業部長', 'enter_and_apply', 'all', 'all', $3)",
            f"{self.code}000", self.code, _HASH,
        )  # fmt: skip
        for key in sealing.published().keys:
            await self.database.execute(
                "insert into sealing_keys values ($1, $2, $3, $4, $5) on conflict do nothing",
                key.key_id, key.purpose, sealing.PUBLIC, key.use_from, key.use_until,
            )  # fmt: skip

    async def headers(self, caller: Caller | None = None) -> dict[str, str]:
        """A token as identity would write it now."""
        caller = caller or self.administrator
        operator = caller.operator
        versions = {f"session:{caller.session_id}": 0}
        for subject, key, query in (
            ("user", operator.user_id, "select rights_version from users where user_id = $1"),
            ("policyholder", self.code, "select rights_version from companies where policyholder_code = $1"),
        ):
            versions[f"{subject}:{key}"] = await self.database.fetchval(query, key) or 0
        return self.platform.headers(caller, versions)

    async def ask(self, method: str, path: str, json: Any = None, *, patient: bool = True, **options: Any) -> Answer:
        """Ask identity's gateway over a socket; again while it is busy, as a front end does, unless not `patient`."""
        while (answer := await self._ask(method, path, json, **options)).status == 503 and patient:
            await asyncio.sleep(0.2)
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        json: Any,
        *,
        caller: Caller | None = None,
        headers: dict[str, str] | None = None,
        runtime: Runtime | None = None,
        **options: Any,
    ) -> Answer:
        url = (runtime or self.runtime).url
        sent = {**(await self.headers(caller)), **(headers or {})}
        if json is not None:
            options["json"] = json
        async with self.client.request(method, f"{url}{path}", headers=sent, **options) as response:
            text = await response.text()
            is_json = "json" in response.content_type
            return Answer(response.status, await response.json() if is_json else text, response.headers)

    async def register(self, **values: Any) -> dict[str, Any]:
        """A registered applicant, as the detail shows it."""
        answer = await self.ask("POST", "/applicants", NEW_APPLICANT | values)
        assert answer.status == 201, answer.body
        shown: dict[str, Any] = answer.body["applicant"]
        return shown

    def change_of(self, shown: dict[str, Any], **values: Any) -> dict[str, Any]:
        """The form of a change as a front end fills it from the detail."""
        names = ("version", "enabled", "email", "name", "phone", "department", "title", "entry", "contract_data")
        form = {name: shown[name] for name in (*names, "application_data")}
        return form | {"rider_codes": [one["rider_code"] for one in shown["rider_codes"]]} | values


async def open_firm(
    platform: Platform,
    runtime: Runtime,
    client: aiohttp.ClientSession,
    database: Database,
    *,
    riders: tuple[str, ...] = RIDERS,
    comprehensive: bool = True,
    one_time_password: bool = False,
) -> Firm:
    """A new policyholder that no other test knows."""
    firm = Firm(unique.policyholder_code(), platform, runtime, client, database)
    await firm.prepare(riders=riders, comprehensive=comprehensive, one_time_password=one_time_password)
    return firm
