"""What NEXI and applications say in these tests."""

import itertools
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any

from contracts.accounts import DepositType, Use
from contracts.actions import Operator
from contracts.applications import AccountProcedureSubmitted, ApplicationCompleted, Procedure
from contracts.nexi import Office, PolicyholderChanged, PolicyholderRegistered, Profile

HEAD: dict[str, Any] = {
    "office": Office.HEAD,
    "name": "株式会社見本商事",
    "kana": "カブシキガイシャミホンショウジ",
    "postal_code": "111-1111",
    "address": "東京都千代田区見本１－１－１",
    "phone": "11-1111-1111",
    "registered_address": "東京都千代田区登記１－１",
    "representative_title": "代表取締役社長",
    "representative_name": "日本　太郎",
    "home_page": "http://www.example.com/",
}
BRANCH: dict[str, Any] = HEAD | {"office": Office.BRANCH, "name": "株式会社見本商事　大阪支店"}

WISH: dict[str, Any] = {
    "bank_code": "9999",
    "branch_code": "999",
    "deposit_type": DepositType.ORDINARY,
    "account_number": "1111111",
    "holder": "株式会社見本商事",
    "holder_kana": "カ）ミホンショウジ",
    "use": Use.PREMIUM_REFUND,
}

LABELS = {
    Procedure.POLICYHOLDER_CHANGE: "保険利用者情報変更",
    Procedure.ACCOUNT_REGISTRATION: "口座登録",
    Procedure.ACCOUNT_CHANGE: "口座情報変更",
    Procedure.ACCOUNT_DELETION: "口座情報削除",
}

NOW = datetime.now(UTC)
_numbers = itertools.count(1)
_day = f"{1000 + secrets.randbelow(9000)}-{1000 + secrets.randbelow(9000)}"


def number() -> str:
    """A Web application number that no other test uses."""
    return f"{_day}-{next(_numbers):04d}"


def registered(code: str, issued_at: datetime = NOW - timedelta(days=10), **items: Any) -> PolicyholderRegistered:
    """A company became a policyholder; `items` differ from HEAD."""
    return PolicyholderRegistered(
        policyholder_code=code, issued_at=issued_at, profile=Profile(**HEAD | items), terms_agreed=False
    )


def restated(code: str, issued_at: datetime, **items: Any) -> PolicyholderChanged:
    """NEXI changed the profile by itself."""
    return PolicyholderChanged(policyholder_code=code, issued_at=issued_at, profile=Profile(**HEAD | items))


def completed(
    code: str,
    application: str | None = None,
    *,
    effective: date | None = None,
    completed_at: datetime | None = None,
    procedure: str = Procedure.POLICYHOLDER_CHANGE,
    **wish: Any,
) -> ApplicationCompleted:
    """NEXI completed a change of the profile; `wish` names the items, wished for today by default."""
    moment = completed_at or datetime.now(UTC)
    content = {"wished_date": moment.date().isoformat()} | wish
    return ApplicationCompleted(
        number=application or number(),
        procedure=procedure,
        procedure_label="保険利用者情報変更",
        policyholder_code=code,
        applicant_user_id=f"{code}000",
        completed_at=moment,
        effective_date=effective,
        content=content,
    )


def submitted(
    code: str, procedure: Procedure, content: dict[str, Any], application: str | None = None
) -> AccountProcedureSubmitted:
    """An administrator pressed 申込む."""
    return AccountProcedureSubmitted(
        number=application or number(),
        procedure=procedure,
        procedure_label=LABELS[procedure],
        operator=Operator(policyholder_code=code, user_id=f"{code}000", name="日本　太郎"),
        submitted_at=datetime.now(UTC),
        content=content,
    )


def registration(code: str, application: str | None = None, **differing: Any) -> AccountProcedureSubmitted:
    """口座登録 of WISH with what differs from it."""
    return submitted(code, Procedure.ACCOUNT_REGISTRATION, WISH | differing, application)


def change(
    code: str, account: dict[str, Any], application: str | None = None, **differing: Any
) -> AccountProcedureSubmitted:
    """口座情報変更 of a listed account."""
    content = {name: account[name] for name in WISH}
    which = {"account_id": account["id"], "account_version": account["version"]}
    return submitted(code, Procedure.ACCOUNT_CHANGE, content | which | differing, application)


def deletion(
    code: str, account: dict[str, Any], application: str | None = None, **differing: Any
) -> AccountProcedureSubmitted:
    """口座情報削除 of a listed account."""
    content = {"account_id": account["id"], "account_version": account["version"]} | differing
    return submitted(code, Procedure.ACCOUNT_DELETION, content, application)
