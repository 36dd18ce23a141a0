"""A new address of an administrator is in force when its link was confirmed, once, within 24 hours, and not before."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.service import Runtime
from contracts.identity import AddressChanged, EmailChanged, EmailChangeRequested
from contracts.notifier import AddressFailing, MailAccepted, MailFailed, SendMail
from tests.identity.administration.firms import PASSWORD, Answer, Firm
from tests.identity.administration.test_administrator import put
from tests.support import sealing
from tests.support.eventually import eventually
from tests.support.platform import Platform, Spy

OLD, NEW = "admin@sample.com", "new-admin@sample.com"


async def order(firm: Firm, mails: Spy, address: str = NEW) -> tuple[str, dict[str, Any]]:
    """Ask for another address; answers the token of the link, and the mail."""
    answer = await put(firm, email=address, current_password=PASSWORD)
    assert answer.status == 200, answer.body
    mail = await mails.next(template="email_confirmation", about_user_id=f"{firm.code}000")
    return sealing.secret_of(mail).partition("#token=")[2], mail


async def confirm(firm: Firm, token: str, runtime: Runtime | None = None) -> Answer:
    """Press the button, without any login."""
    nobody = {"Authorization": "", "X-Forwarded-For": "203.0.113.7"}
    return await firm.ask("POST", "/email-changes/confirmation", {"token": token}, headers=nobody, runtime=runtime)


async def address_of(firm: Firm) -> str:
    address: str = (await firm.ask("GET", "/administrator")).body["email"]
    return address


@pytest.mark.requirement("R115", "R117", "E1", "E3")
async def test_the_new_address_gets_the_link_the_old_one_a_notice_and_stays_in_force(
    firm: Firm, platform: Platform
) -> None:
    async with platform.hears(SendMail) as mails, platform.hears(EmailChangeRequested) as events:
        answer = await put(firm, email=NEW, name="輸出　次郎", current_password=PASSWORD)
        mail = await mails.next(template="email_confirmation", about_user_id=f"{firm.code}000")
        notice = await mails.next(template="email_change_notice", about_user_id=f"{firm.code}000")
        await events.next(source_address="127.0.0.1")
    assert (mail["data"]["recipient"], notice["data"]["recipient"]) == (NEW, OLD)
    assert notice["data"]["secret"] is None
    link = sealing.secret_of(mail)
    assert link.startswith("http://127.0.0.1:8080/email-confirmation#token=")
    token = link.partition("#token=")[2]
    assert len(token) == 43
    assert token not in str(
        await firm.database.fetch("select * from email_changes where user_id = $1", f"{firm.code}000")
    )
    shown = answer.body["administrator"]
    assert (shown["email"], shown["name"]) == (OLD, "輸出　次郎"), "the other fields are in force at once"
    assert answer.body["email_change"] == shown["pending_email"]
    assert (shown["pending_email"]["address"], shown["pending_email"]["mail"]) == (NEW, "ordered")
    assert "24時間以内" in answer.body["message"]


@pytest.mark.requirement("R116", "E3", "L10")
async def test_the_confirmed_address_is_in_force_and_a_second_confirmation_changes_nothing(
    firm: Firm, platform: Platform
) -> None:
    async with platform.hears(SendMail) as mails, platform.hears(EmailChanged, AddressChanged) as events:
        token, _ = await order(firm, mails)
        first, second = await confirm(firm, token), await confirm(firm, token)
        address = await events.next(user_id=f"{firm.code}000", address=NEW)
        changed = await events.next(source_address="203.0.113.7")
    assert (first.status, first.body["state"], first.body["address"]) == (200, "done", "ne***@sample.com")
    assert (second.status, second.body["state"]) == (200, "already_done")
    assert await address_of(firm) == NEW
    assert address["data"]["version"] == 3
    assert changed["data"]["operator"]["user_id"] == f"{firm.code}000"
    assert (await firm.ask("GET", "/administrator")).body["pending_email"] is None


@pytest.mark.requirement("E3", "R117")
async def test_opening_the_link_changes_nothing(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        token, _ = await order(firm, mails)
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        await firm.ask(method, "/email-changes/confirmation")
        await firm.ask(method, f"/email-changes/confirmation?token={token}")
    assert await address_of(firm) == OLD
    assert (await confirm(firm, token)).body["state"] == "done"


@pytest.mark.requirement("C-6", "E3")
async def test_many_parallel_confirmations_have_one_effect(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        token, _ = await order(firm, mails)
    async with platform.hears(AddressChanged) as events, platform.running("identity") as other:
        processes = (firm.runtime, other) * 32
        answers = await asyncio.gather(*(confirm(firm, token, process) for process in processes))
        await events.next(user_id=f"{firm.code}000", address=NEW)
        await firm.register(email="last@sample.com")
        await events.next(address="last@sample.com")
        assert not [one for one in events.seen if one["data"]["user_id"] == f"{firm.code}000"]
    assert {one.status for one in answers} == {200}
    assert sorted(one.body["state"] for one in answers) == ["already_done"] * 63 + ["done"]


@pytest.mark.requirement("C-6", "E1")
async def test_a_newer_request_supersedes_the_older_link_which_says_so(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        older, first = await order(firm, mails)
        newer, second = await order(firm, mails, "newest@sample.com")
    assert first["data"]["supersedes"] == second["data"]["supersedes"]
    refused = await confirm(firm, older)
    assert (refused.status, refused.problem) == (410, "superseded-link")
    assert await address_of(firm) == OLD
    assert (await confirm(firm, newer)).body["state"] == "done"
    assert await address_of(firm) == "newest@sample.com"


@pytest.mark.requirement("C-6")
async def test_a_confirmation_racing_with_a_newer_request_leaves_one_story(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        for round_ in range(4):
            token, _ = await order(firm, mails, f"round{round_}@sample.com")
            confirmed, requested = await asyncio.gather(
                confirm(firm, token), put(firm, email=f"rival{round_}@sample.com", current_password=PASSWORD)
            )
            shown = (await firm.ask("GET", "/administrator")).body
            if confirmed.status == 200:
                assert shown["email"] == f"round{round_}@sample.com"
                assert requested.status in (200, 412)
            else:
                assert (confirmed.status, requested.status) == (410, 200)
                assert shown["email"] != f"round{round_}@sample.com"
                assert shown["pending_email"]["address"] == f"rival{round_}@sample.com"


@pytest.mark.requirement("E2", "R116")
async def test_24_hours_count_from_the_acceptance_by_the_mail_server(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        token, mail = await order(firm, mails)
    change = await firm.database.fetchrow("select * from email_changes where mail_id = $1", UUID(mail["id"]))
    late = timedelta(hours=25)
    await firm.database.execute(
        "update email_changes set requested_at = requested_at - $2::interval where id = $1", change["id"], late
    )
    assert (await confirm(firm, token)).problem == "lapsed-link", "until the acceptance is known, from the request"
    pending = (await firm.ask("GET", "/administrator")).body["pending_email"]
    assert pending["lapsed"] is True

    accepted_at = datetime.now(UTC) - timedelta(hours=23)
    await _say_accepted(platform, firm, mail["id"], accepted_at)
    pending = await eventually(lambda: _pending_with(firm, mail="accepted"))
    assert datetime.fromisoformat(pending["expires_at"]) == accepted_at + timedelta(hours=24)
    assert pending["lapsed"] is False

    await _move_acceptance(firm, change["id"], timedelta(minutes=59))
    assert (await confirm(firm, token)).body["state"] == "done", "in the last minute"
    await _move_acceptance(firm, change["id"], timedelta(minutes=1))
    assert (await confirm(firm, token)).problem == "lapsed-link"
    assert await address_of(firm) == NEW, "what was confirmed in time stays"


@pytest.mark.requirement("E2")
async def test_only_the_first_acceptance_counts_and_never_one_in_the_future(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        _, mail = await order(firm, mails)
    await _say_accepted(platform, firm, mail["id"], datetime.now(UTC) + timedelta(days=30))
    pending = await eventually(lambda: _pending_with(firm, mail="accepted"))
    assert datetime.fromisoformat(pending["expires_at"]) < datetime.now(UTC) + timedelta(hours=24, seconds=1)
    await _say_accepted(platform, firm, mail["id"], datetime.now(UTC) - timedelta(hours=9))
    await platform.say(
        "notifier",
        AddressFailing(policyholder_code=firm.code, user_id=f"{firm.code}000", failing=True),
    )

    async def failing() -> bool:
        return bool((await firm.ask("GET", "/administrator")).body["address_failing"])

    await eventually(failing)
    assert (await _pending_with(firm, mail="accepted"))["expires_at"] == pending["expires_at"]


async def test_a_mail_that_failed_is_shown_and_the_request_can_be_taken_back(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails:
        token, mail = await order(firm, mails)
    await platform.say(
        "notifier",
        MailFailed(
            mail_id=mail["id"],
            template="email_confirmation",
            policyholder_code=firm.code,
            about_user_id=f"{firm.code}000",
            state="failed",
            reason="550",
        ),
    )
    await eventually(lambda: _pending_with(firm, mail="failed"))
    assert (await firm.ask("DELETE", "/administrator/email-change")).status == 204
    assert (await firm.ask("DELETE", "/administrator/email-change")).status == 404
    assert (await confirm(firm, token)).problem == "withdrawn-link"
    assert (await firm.ask("GET", "/administrator")).body["pending_email"] is None
    assert await address_of(firm) == OLD


async def test_the_eleventh_request_of_a_day_is_refused(firm: Firm) -> None:
    for number in range(10):
        assert (await put(firm, email=f"n{number}@sample.com", current_password=PASSWORD)).status == 200
    refused = await put(firm, email="n10@sample.com", name="別名", current_password=PASSWORD)
    assert (refused.status, refused.problem) == (429, "email-change-limit-reached")
    shown = (await firm.ask("GET", "/administrator")).body
    assert (shown["name"], shown["pending_email"]["address"]) == ("日本　太郎", "n9@sample.com")


@pytest.mark.requirement("E3")
@pytest.mark.parametrize("token", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "=", "あ" * 43, "a" * 42 + "\ud800"])
async def test_what_is_no_token_is_refused(firm: Firm, token: str) -> None:
    assert (await confirm(firm, token)).status in (400, 422)


async def test_an_unknown_token_and_one_of_a_disabled_administrator_are_answered_alike(
    firm: Firm, platform: Platform
) -> None:
    async with platform.hears(SendMail) as mails:
        token, _ = await order(firm, mails)
    await firm.database.execute("update users set enabled = false where user_id = $1", f"{firm.code}000")
    disabled, unknown = await confirm(firm, token), await confirm(firm, "a" * 43)
    assert (disabled.status, unknown.status) == (404, 404)
    assert {**disabled.body, "instance": ""} == {**unknown.body, "instance": ""}


async def test_an_acceptance_with_a_broken_id_is_quarantined(firm: Firm, platform: Platform) -> None:
    await _say_accepted(platform, firm, "not-an-id", datetime.now(UTC))

    async def quarantined() -> Any:
        return await firm.database.fetchrow(
            "select reason from parked where state = 'unreadable' and reason like 'mail_id%'"
        )

    assert (await eventually(quarantined))["reason"] == "mail_id: not a UUID"


async def _say_accepted(platform: Platform, firm: Firm, mail_id: str, at: datetime) -> None:
    await platform.say(
        "notifier",
        MailAccepted(
            mail_id=mail_id,
            template="email_confirmation",
            policyholder_code=firm.code,
            about_user_id=f"{firm.code}000",
            accepted_at=at,
        ),
    )


async def _pending_with(firm: Firm, mail: str) -> Any:
    pending = (await firm.ask("GET", "/administrator")).body["pending_email"]
    return pending if pending and pending["mail"] == mail else None


async def _move_acceptance(firm: Firm, change_id: UUID, back: timedelta) -> None:
    await firm.database.execute(
        "update email_changes set mail_accepted_at = mail_accepted_at - $2::interval where id = $1", change_id, back
    )
