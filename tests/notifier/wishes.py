"""Wishes for mails and letters as the other services say them, with sealed secrets, and what became of them."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.seals import Sealed, seal
from chassis.service import Runtime
from contracts.applications import ApplicationCompleted, ApplicationRejected, ApplicationSubmitted
from contracts.identity import AddressChanged
from contracts.notifier import SealingPurpose, SendLetter, SendMail, Template
from contracts.permissions import Role
from notifier.keys import KeyRing
from tests.support import callers, unique
from tests.support.eventually import eventually
from tests.support.platform import Platform

LABEL = "保険利用者情報変更"
_numbers = itertools.count(1)
ENDS = ("sent", "failed", "expired", "superseded")


class Wishes:
    """One notifier, seen from the services that want something of it."""

    def __init__(self, platform: Platform, runtime: Runtime) -> None:
        self.platform = platform
        self.runtime = runtime

    def sealed(self, secret: str, place: tuple[str, ...], purpose: SealingPurpose = SealingPurpose.PASSWORD) -> Sealed:
        """A secret sealed to the newest key that may be used now."""
        ring = self.runtime.provides[KeyRing]
        assert isinstance(ring, KeyRing)
        now = datetime.now(UTC)
        keys = [key for key in ring.renew(now) if key.purpose is purpose and key.use_from <= now < key.use_until]
        public = base64.b64decode(keys[-1].public_key)
        return seal(secret, key_id=keys[-1].key_id, public_key=public, place=place)

    def mail(
        self,
        template: Template,
        recipient: str,
        *,
        secret: str | None = None,
        code: str = "",
        life: timedelta = timedelta(hours=1),
        supersedes: str | None = None,
        facts: dict[str, str] | None = None,
    ) -> SendMail:
        """The command, with facts that fit most templates."""
        code = code or unique.policyholder_code()
        given: dict[str, Any] = {
            "template": template,
            "recipient": recipient,
            "policyholder_code": code,
            "about_user_id": f"{code}001",
            "facts": {"user_id": f"{code}001", "name": "貿易　花子"} if facts is None else facts,
            "not_after": datetime.now(UTC) + life,
            "supersedes": supersedes,
        }
        unsealed = SendMail(**given)
        if secret is None:
            return unsealed
        purpose = SealingPurpose.CODE if template is Template.ONE_TIME_PASSWORD else SealingPurpose.PASSWORD
        return SendMail(**given, secret=self.sealed(secret, unsealed.place(), purpose))

    def letter(self, code: str, password: str, **given: Any) -> SendLetter:
        """The command for an administrator's letter."""
        fields = {
            "policyholder_code": code, "about_user_id": f"{code}000", "company": "見本貿易株式会社",
            "postal_code": "101-0065", "address": "東京都千代田区西神田三丁目８番１号", "addressee": "髙﨑　太郎",
            "not_after": datetime.now(UTC) + timedelta(days=30),
            "secret": Sealed(key_id="none", ciphertext=""),
        } | given  # fmt: skip
        unsealed = SendLetter(**fields)
        if "secret" in given:
            return unsealed
        return SendLetter(**fields | {"secret": self.sealed(password, unsealed.place())})

    async def say(self, message: SendMail | SendLetter, **envelope: Any) -> UUID:
        """Publish as identity; answers the id of the mail."""
        return (await self.platform.say("identity", message, **envelope))[0]

    async def address(
        self, code: str, address: str, version: int = 1, *, at: datetime | None = None, enabled: bool = True
    ) -> None:
        """identity says where the administrator is reached since `at`, and the notifier has heard it."""
        changed = address_changed(code, address, version, enabled=enabled)
        await self.platform.say("identity", changed, time=at or datetime.now(UTC))

        async def learnt() -> Any:
            return await self.runtime.database.fetchval(
                "select true from addresses where user_id = $1 and version = $2", f"{code}000", version
            )

        await eventually(learnt)

    async def row(self, mail_id: UUID) -> Any:
        """The mail as the notifier keeps it, or None."""
        return await self.runtime.database.fetchrow("select * from mails where id = $1", mail_id)

    async def end(self, mail_id: UUID, *states: str, timeout: float = 15) -> Any:
        """The row once the mail is in one of these states (by default: one of the ends)."""

        async def ended() -> Any:
            row = await self.row(mail_id)
            return row if row is not None and row["state"] in (states or ENDS) else None

        return await eventually(ended, timeout)

    async def hurry(self, mail_id: UUID) -> None:
        """Do not wait for the pause before the next try, if there is to be one."""
        async with self.platform.owner("notifier") as database:
            await database.execute("update mails set due_at = now() where id = $1 and due_at is not null", mail_id)


def address_changed(code: str, address: str, version: int, *, enabled: bool = True) -> AddressChanged:
    """identity says where the administrator is reached."""
    return AddressChanged(
        policyholder_code=code, user_id=f"{code}000", role=Role.ADMINISTRATOR, name="日本　太郎", address=address,
        enabled=enabled, version=version,
    )  # fmt: skip


def submitted(code: str, number: str, at: datetime, **given: Any) -> ApplicationSubmitted:
    """applications says that the administrator applied for something."""
    return ApplicationSubmitted(
        operator=callers.administrator(code).operator, number=number, procedure="policyholder_change",
        procedure_label=LABEL, submitted_at=at, content={}, **given,
    )  # fmt: skip


def completed(code: str, number: str, at: datetime, **given: Any) -> ApplicationCompleted:
    """applications says that everything is complete."""
    about: dict[str, Any] = {"procedure": "policyholder_change", "procedure_label": LABEL} | given
    return ApplicationCompleted(
        number=number, policyholder_code=code, applicant_user_id=f"{code}000", completed_at=at, content={}, **about
    )


def rejected(code: str, number: str, at: datetime, reason: str) -> ApplicationRejected:
    """applications says that somebody refused."""
    return ApplicationRejected(
        number=number, procedure="policyholder_change", procedure_label=LABEL, policyholder_code=code,
        applicant_user_id=f"{code}000", rejected_at=at, reason=reason,
    )  # fmt: skip


def address() -> str:
    """A mail address that no other test uses."""
    return f"{unique.word('u')}@sample.com"


def number() -> str:
    """A Web application number that no other test uses."""
    return f"2026-0401-{next(_numbers):05d}"
