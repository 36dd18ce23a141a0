"""Each guard counts: with the guard taken out, what it prevents happens."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from contracts.notifier import SendMail
from identity.rules.email_addresses import Link, LinkState
from identity.store import applicants, users
from tests.identity.administration.conftest import OpenFirm
from tests.identity.administration.firms import NEW_APPLICANT, Firm
from tests.identity.administration.test_email_changes import confirm, order
from tests.support import callers
from tests.support.platform import Platform


@pytest.fixture
def mutate(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The service runs in this process, so that its guards can be taken out one by one."""
    with monkeypatch.context() as mutant:
        yield mutant


async def test_without_the_version_check_updates_are_lost(firm: Firm, mutate: pytest.MonkeyPatch) -> None:
    shown = await firm.register()
    mutate.setattr("identity.api.applicant_changes.check_version", lambda *_: None)
    answers = [
        await firm.ask("PUT", f"/applicants/{shown['user_id']}", firm.change_of(shown, name=name))
        for name in ("先の人", "後の人")
    ]
    assert [one.status for one in answers] == [200, 200], "the first editor's name is lost without a word"


async def test_without_the_lock_a_link_is_confirmed_twice(
    firm: Firm, platform: Platform, mutate: pytest.MonkeyPatch
) -> None:
    async with platform.hears(SendMail) as mails:
        token, _ = await order(firm, mails)
    meeting = asyncio.Barrier(2)
    row = await firm.database.fetchrow(
        "select *, false as superseded, false as withdrawn, now() as now from email_changes where user_id = $1",
        f"{firm.code}000",
    )

    async def both_read(*_: object) -> Any:
        await meeting.wait()
        return row

    mutate.setattr("identity.api.email_changes.users.lock", users.find)
    mutate.setattr("identity.api.email_changes.email_changes.by_token", both_read)
    answers = await asyncio.gather(confirm(firm, token), confirm(firm, token))
    assert [one.body["state"] for one in answers] == ["done", "done"]


async def test_without_the_expiry_an_old_link_works(firm: Firm, platform: Platform, mutate: pytest.MonkeyPatch) -> None:
    async with platform.hears(SendMail) as mails:
        token, mail = await order(firm, mails)
    await firm.database.execute(
        "update email_changes set requested_at = now() - interval '2 days' where mail_id = $1", UUID(mail["id"])
    )
    assert (await confirm(firm, token)).status == 410
    mutate.setattr(Link, "state", lambda *_: LinkState.PENDING)
    assert (await confirm(firm, token)).status == 200


async def test_without_the_tenant_in_the_question_foreign_applicants_are_shown(
    open_a_firm: OpenFirm, mutate: pytest.MonkeyPatch
) -> None:
    firm, other = await open_a_firm(), await open_a_firm()
    theirs = await other.register()
    assert (await firm.ask("GET", f"/applicants/{theirs['user_id']}")).status == 404
    ask = applicants.one
    mutate.setattr("identity.api.applicant_views.applicants.one", lambda db, _, user_id: ask(db, other.code, user_id))
    assert (await firm.ask("GET", f"/applicants/{theirs['user_id']}")).status == 200


async def test_without_the_revocation_a_lowered_right_lives_on(firm: Firm, mutate: pytest.MonkeyPatch) -> None:
    shown = await firm.register()
    token = await firm.headers(callers.applicant(firm.code, 1))

    async def nobody(*_: object) -> None:
        return None

    mutate.setattr("identity.api.applicant_changes.access.revoke_user", nobody)
    await firm.ask("PUT", f"/applicants/{shown['user_id']}", firm.change_of(shown, entry="none"))
    assert (await firm.ask("GET", "/menu", headers=token)).status == 200


async def test_without_the_key_a_double_click_registers_two(firm: Firm) -> None:
    await asyncio.gather(*(firm.ask("POST", "/applicants", NEW_APPLICANT) for _ in range(2)))
    assert (await firm.ask("GET", "/applicants")).body["total"] == 2
