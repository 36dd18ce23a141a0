"""Operators find every mail and its fate, administrators those of their own company, and nobody a secret."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.notifier import AddressFailing, Template
from contracts.permissions import Role
from notifier.mails.catalogue import CATALOGUE, preview
from tests.notifier.conftest import Gateway
from tests.notifier.wishes import Wishes, address, address_changed, number, submitted
from tests.support import callers, unique
from tests.support.mailbox import Mailbox

PASSWORD = "Hk7mPw3xRt9vNc4d"


@pytest.fixture
def operator() -> Any:
    """One of NEXI's operators."""
    return callers.operator("operator:yamada")


async def receipt(wishes: Wishes, code: str, to: str) -> tuple[str, str]:
    """A sent receipt mail: its number and id."""
    web_number = number()
    await wishes.address(code, to)
    (mail_id,) = await wishes.platform.say("applications", submitted(code, web_number, datetime.now(UTC)))
    await wishes.end(mail_id, "sent")
    return web_number, str(mail_id)


async def test_mails_are_found_by_number_user_state_and_period(wishes: Wishes, ask: Gateway, operator: Any) -> None:
    code, to = unique.policyholder_code(), address()
    web_number, mail_id = await receipt(wishes, code, to)
    for query in (
        {"number": web_number},
        {"user_id": f"{code}000"},
        {"policyholder_code": code, "state": "sent"},
        {"policyholder_code": code, "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00+09:00"},
    ):
        (found,) = (await ask(operator, "GET", "/mails", **query))["mails"]
        assert (found["id"], found["recipient"], found["state"]) == (mail_id, to, "sent")
    for query in (
        {"number": web_number, "state": "failed"},
        {"policyholder_code": code, "until": "2020-01-01T00:00:00Z"},
    ):
        assert (await ask(operator, "GET", "/mails", **query))["mails"] == []
    for wrong in (
        {"state": "lost"}, {"number": "1"}, {"limit": "0"}, {"unknown": "1"},
        {"since": "yesterday"}, {"since": "0001-01-01T00:00:00+09:00"}, {"until": "9999-12-31T23:59:59-09:00"},
    ):  # fmt: skip
        await ask(operator, "GET", "/mails", status=422, **wrong)
    for extreme in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"):
        for bound in ("since", "until"):
            await ask(operator, "GET", "/mails", status=422, **{bound: extreme})
            await ask(operator, "GET", "/mails/statistics", status=422, **{bound: extreme})


async def test_pages_follow_each_other(wishes: Wishes, ask: Gateway, operator: Any) -> None:
    code = unique.policyholder_code()
    ids = [str(await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address(), code=code))) for _ in range(3)]
    await wishes.end(await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address())), "sent")
    first = (await ask(operator, "GET", "/mails", policyholder_code=code, limit="2"))["mails"]
    rest = (await ask(operator, "GET", "/mails", policyholder_code=code, before=str(first[-1]["place"])))["mails"]
    assert [one["id"] for one in first + rest] == ids[::-1]


@pytest.mark.requirement("S-1")
async def test_a_mail_is_shown_without_its_secret_and_sent_again_as_a_new_message(
    wishes: Wishes, ask: Gateway, operator: Any, mailbox: Mailbox
) -> None:
    to = address()
    wish = wishes.mail(Template.PASSWORD_REISSUED, to, secret=PASSWORD)
    mail_id = await wishes.say(wish)
    await wishes.end(mail_id, "sent")
    shown = await ask(operator, "GET", f"/mails/{mail_id}")
    assert shown["sealed"] is True
    assert wish.secret is not None
    assert wish.secret.ciphertext not in json.dumps(shown)
    await ask(operator, "POST", f"/mails/{mail_id}/resend", status=204)
    again = await mailbox.next_to(to, after=1)
    assert again["Message-ID"] == f"<{mail_id}.1@nexi.go.jp>"
    assert again.get_content() == mailbox.to(to)[0].get_content()
    (done,) = (await ask(operator, "GET", f"/mails/{mail_id}"))["operations"]
    assert (done["operator"], done["what"]) == ("operator:yamada", "resend")


async def test_what_has_lapsed_or_is_under_way_is_not_sent_again(wishes: Wishes, ask: Gateway, operator: Any) -> None:
    mail_id = await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, address(), secret=PASSWORD))
    await wishes.end(mail_id, "sent")
    async with wishes.platform.owner("notifier") as database:
        await database.execute("update mails set not_after = now() where id = $1", mail_id)
    refused = await ask(operator, "POST", f"/mails/{mail_id}/resend", status=409)
    assert refused["type"] == "/problems/cannot-be-resent"
    await ask(operator, "POST", "/mails/00000000-0000-7000-8000-000000000000/resend", status=404)
    await ask(operator, "GET", "/mails/00000000-0000-7000-8000-000000000000", status=404)
    await ask(operator, "GET", "/mails/x", status=422)


@pytest.mark.requirement("R-6", "L5")
async def test_a_secret_is_not_sent_again_after_a_newer_one(wishes: Wishes, ask: Gateway, operator: Any) -> None:
    word = unique.word("password")
    sent = []
    for secret in (PASSWORD, PASSWORD[::-1]):
        wish = wishes.mail(Template.PASSWORD_REISSUED, address(), secret=secret, supersedes=word)
        sent.append(await wishes.say(wish))
        await wishes.end(sent[-1], "sent")
    older, newer = sent
    refused = await ask(operator, "POST", f"/mails/{older}/resend", status=409)
    assert "新しいメールに置き換えられたメール" in refused["detail"]
    await ask(operator, "POST", f"/mails/{newer}/resend", status=204)


async def test_statistics_count_what_was_asked_for(wishes: Wishes, ask: Gateway, operator: Any) -> None:
    await wishes.end(await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address())), "sent")
    told = await ask(operator, "GET", "/mails/statistics")
    (count,) = [
        one for one in told["counts"] if (one["template"], one["state"]) == (Template.EMAIL_CHANGE_NOTICE, "sent")
    ]
    assert count["mails"] >= 1
    assert count["median_seconds"] >= 0
    assert told["oldest_waiting_seconds"] >= 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/mails"), ("GET", "/mails/statistics"), ("GET", "/mails/00000000-0000-7000-8000-000000000000"),
        ("POST", "/mails/00000000-0000-7000-8000-000000000000/resend"), ("POST", "/bounces"),
        ("GET", "/failing-addresses"), ("DELETE", "/failing-addresses/a@b.jp"),
    ],
)  # fmt: skip
async def test_what_is_for_operators_is_for_nobody_else(ask: Gateway, method: str, path: str) -> None:
    body = {"recipient": "a@b.jp"} if path == "/bounces" else None
    for caller in (callers.administrator(unique.policyholder_code()), callers.partner()):
        await ask(caller, method, path, status=403, json=body)
    await ask(None, method, path, status=401, json=body)


async def test_an_administrator_sees_the_own_companys_mails_without_their_words(wishes: Wishes, ask: Gateway) -> None:
    own, other, to = unique.policyholder_code(), unique.policyholder_code(), address()
    web_number, _ = await receipt(wishes, own, to)
    await receipt(wishes, other, address())
    await wishes.end(await wishes.say(wishes.mail(Template.PASSWORD_RESET, to, secret=PASSWORD, code=own)), "sent")
    found = (await ask(callers.administrator(own), "GET", "/company/mails"))["mails"]
    assert [one["subject"] for one in found] == [
        "Webユーザー（申込者）のパスワードリセットのお知らせ", "申込受付のお知らせ",
    ]  # fmt: skip
    assert {"facts", "body", "secret"}.isdisjoint(found[0])
    by_number = (await ask(callers.administrator(own), "GET", "/company/mails", number=web_number))["mails"]
    assert [one["application_number"] for one in by_number] == [web_number]
    assert (await ask(callers.administrator(other), "GET", "/company/mails", number=web_number))["mails"] == []
    await ask(callers.applicant(own), "GET", "/company/mails", status=403)


async def test_a_bounce_marks_the_address_until_it_changes_or_an_operator_clears_it(
    wishes: Wishes, ask: Gateway, operator: Any
) -> None:
    code, other, to = unique.policyholder_code(), unique.policyholder_code(), address()
    await wishes.address(code, to)
    await wishes.address(other, to)
    async with wishes.platform.hears(AddressFailing) as spy:
        await ask(operator, "POST", "/bounces", status=204, json={"recipient": to, "reason": "5.2.2 mailbox full"})
        await ask(operator, "POST", "/bounces", status=204, json={"recipient": to.upper()})
        assert (await spy.next(user_id=f"{code}000"))["data"]["failing"] is True
        assert (await spy.next(user_id=f"{other}000"))["data"]["failing"] is True
        (shown,) = (await ask(callers.administrator(code), "GET", "/company/failing-addresses"))["addresses"]
        assert (shown["user_id"], shown["cause"], shown["times"]) == (f"{code}000", "bounced", 2)
        users = [one["user_id"] for one in (await ask(operator, "GET", "/failing-addresses"))["addresses"]]
        assert {f"{code}000", f"{other}000"} <= set(users)

        await wishes.platform.say("identity", address_changed(code, address(), 2))
        assert (await spy.next(user_id=f"{code}000"))["data"]["failing"] is False
        assert (await ask(callers.administrator(code), "GET", "/company/failing-addresses"))["addresses"] == []

        third = f"{code}001"
        newcomer = address_changed(code, to, 1).model_copy(update={"user_id": third, "role": Role.APPLICANT})
        await wishes.platform.say("identity", newcomer)
        assert (await spy.next(user_id=third))["data"]["failing"] is True

        await ask(operator, "DELETE", f"/failing-addresses/{to.title()}", status=204)
        assert (await spy.next(user_id=third))["data"]["failing"] is False
        assert (await spy.next(user_id=f"{other}000"))["data"]["failing"] is False
        await ask(operator, "DELETE", f"/failing-addresses/{to}", status=404)
        assert spy.seen == []


async def test_the_preview_page_shows_every_mail(wishes: Wishes, client: Any) -> None:
    async with client.get(f"{wishes.runtime.url}/previews") as response:
        page = await response.text()
        assert response.content_type == "text/html"
    for template in CATALOGUE:
        assert f"<h2 id={template}>{preview(template).subject}</h2>" in page
    assert "ワンタイムパスワードは発行後10分間に限り有効です。" in page
