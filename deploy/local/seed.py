"""Demo data for a new platform: two policyholders and their people, made the way outsiders make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from contracts.nexi import Administrator, NoticePublished, Office, PolicyholderRegistered, Profile
from contracts.permissions import ENTRY_LABELS, Entry
from deploy.local.outsiders import Outside, Person, new_password, secret_in

HEAD_OFFICE, BRANCH = "100000001", "100000002"


@dataclass(frozen=True)
class Account:
    """A demo account that a person may log in with."""

    user_id: str
    password: str
    who: str


def head_office(code: str, email: str) -> PolicyholderRegistered:
    """A head office that uses 企業総合保険, with three riders."""
    profile = Profile(
        office=Office.HEAD,
        name="株式会社見本商事",
        kana="カブシキガイシャミホンショウジ",
        postal_code="100-0001",
        address="東京都千代田区千代田１－１",
        phone="03-1234-5678",
        registered_address="東京都千代田区千代田１－１",
        representative_title="代表取締役",
        representative_name="見本　一郎",
        home_page="https://www.sample.com/",
    )
    administrator = Administrator(
        name="日本　太郎", email=email, phone="03-1234-5678", department="見本事業部", title="事業部長"
    )
    return _registered(code, profile, administrator, ("999999901", "999999902", "999999903"))


def branch(code: str, email: str) -> PolicyholderRegistered:
    """A branch: no registered address, representative or home page."""
    profile = Profile(
        office=Office.BRANCH,
        name="株式会社見本商事　大阪支店",
        kana="カブシキガイシャミホンショウジオオサカシテン",
        postal_code="530-0001",
        address="大阪府大阪市北区梅田１－１",
        phone="06-1234-5678",
    )
    administrator = Administrator(name="大阪　次郎", email=email, department="大阪支店", title="支店長")
    return _registered(code, profile, administrator, ())


def _registered(
    code: str, profile: Profile, administrator: Administrator, riders: tuple[str, ...]
) -> PolicyholderRegistered:
    return PolicyholderRegistered(
        issued_at=datetime.now(UTC),
        policyholder_code=code,
        profile=profile,
        terms_agreed=True,
        administrator=administrator,
        uses_comprehensive_insurance=bool(riders),
        rider_codes=riders,
    )


APPLICANTS: tuple[dict[str, Any], ...] = (
    {
        "email": "hanako@sample.com",
        "name": "貿易　花子",
        "phone": "03-1234-5679",
        "department": "見本課",
        "title": "",
        "entry": Entry.ENTER_AND_APPLY,
        "contract_data": "listed_riders",
        "rider_codes": ["999999901", "999999902"],
        "application_data": "own",
    },
    {
        "email": "jiro@sample.com",
        "name": "保険　次郎",
        "phone": "",
        "department": "経理部",
        "title": "課長",
        "entry": Entry.ENTER,
        "contract_data": "all",
        "rider_codes": [],
        "application_data": "all",
    },
)


async def seeded(known: dict[str, Any]) -> list[Account]:
    """Fill the running platform that platform.json describes."""
    async with aiohttp.ClientSession() as http:
        return await seed(Outside(known, http))


async def seed(outside: Outside) -> list[Account]:
    """Register both policyholders, let their administrators log in, register two applicants, publish notices."""
    await outside.operate("accounts", "banks", "demo")
    head, other = head_office(HEAD_OFFICE, "taro@sample.com"), branch(BRANCH, "osaka@sample.com")
    await outside.say(head, other, *_notices())
    administrators = [
        await first_login(outside, user_id, secret_in(await outside.letter_to(user_id)))
        for user_id in (f"{HEAD_OFFICE}000", f"{BRANCH}000")
    ]
    accounts = [
        Account(person.user_id, password, f"管理者 {name}")
        for (person, password), name in zip(administrators, ("日本　太郎（本店）", "大阪　次郎（支店）"), strict=True)
    ]
    administrator, _ = administrators[0]
    for form in APPLICANTS:
        accounts.append(await _register(administrator, form))
    return accounts


async def first_login(outside: Outside, user_id: str, temporary: str) -> tuple[Person, str]:
    """Log in with a temporary password and choose a definitive one; answers the person and that password."""
    person, password = Person(outside, user_id), new_password()
    await person.log_in(temporary)
    await person.change_password(temporary, password)
    return person, password


async def _register(administrator: Person, form: dict[str, Any]) -> Account:
    registered = await administrator.call("POST", "identity", "/applicants", json=form)
    user_id = registered["user_id"]
    mail = await administrator.outside.mail_to("taro@sample.com", "初期パスワード", about=user_id)
    _, password = await first_login(administrator.outside, user_id, secret_in(mail["text"]))
    return Account(user_id, password, f"申込者 {form['name']}（{ENTRY_LABELS[form['entry']]}）")


def _notices() -> list[NoticePublished]:
    now = datetime.now(UTC)
    titles = (
        "システムメンテナンスのお知らせ",
        "年末年始の営業について",
        "Webサービス操作マニュアルを更新しました",
        "ワンタイムパスワードのご利用をおすすめします",
    )
    return [
        NoticePublished(
            issued_at=now,
            notice_id=f"demo-{number}",
            title=title,
            body=f"{title}。詳しくはお客様相談窓口までお問い合わせください。",
            published_from=now,
        )
        for number, title in enumerate(titles, 1)
    ]
