"""Each mail goes to the right person in the words of the manual, from NEXI's address, once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.notifier import MailFailed, Template
from contracts.permissions import Role
from notifier.mails import japanese
from notifier.store import addresses, mails
from tests.notifier.conftest import sending_to
from tests.notifier.wishes import Wishes, address, address_changed, completed, number, rejected, submitted
from tests.support import unique
from tests.support.eventually import eventually
from tests.support.mailbox import Mailbox, text_of
from tests.support.platform import Platform

PASSWORD = "Hk7mPw3xRt9vNc4d"


@pytest.mark.requirement("R67", "R120", "R140", "N4")
async def test_the_initial_password_of_an_applicant_goes_to_the_administrator(wishes: Wishes, mailbox: Mailbox) -> None:
    to = address()
    code = unique.policyholder_code()
    mail_id = await wishes.say(wishes.mail(Template.INITIAL_PASSWORD, to, secret=PASSWORD, code=code))
    mail = await mailbox.next_to(to)
    assert mail["From"] == "web_info@nexi.go.jp"
    assert mail["To"] == to
    assert mail["Subject"] == "【NEXI Webサービス】Webユーザー（申込者）の初期パスワードのお知らせ"
    assert mail["Message-ID"] == f"<{mail_id}@nexi.go.jp>"
    assert mail.get_content_type() == "text/plain"
    assert PASSWORD in text_of(mail)
    assert f"{code}001" in text_of(mail)
    assert "貿易　花子" in text_of(mail)


@pytest.mark.parametrize(
    ("template", "secret", "requirement"),
    [
        (Template.PASSWORD_REISSUED, PASSWORD, "R124"),
        (Template.PASSWORD_RESET, PASSWORD, "R165"),
        (Template.ONE_TIME_PASSWORD, "40718293", "R329"),
        (Template.EMAIL_CONFIRMATION, "https://web.example.jp/email-confirmation#token=abc", "R115"),
        (Template.EMAIL_CHANGE_NOTICE, None, "E3"),
        (Template.GROUP_VIEWER_PASSWORD, PASSWORD, "N2"),
    ],
)
@pytest.mark.requirement("R115", "R124", "R165", "R329", "E3", "N2")
async def test_each_mail_arrives_once_with_its_secret_and_user(
    wishes: Wishes, mailbox: Mailbox, template: Template, secret: str | None, requirement: str
) -> None:
    to, code = address(), unique.policyholder_code()
    mail_id = await wishes.say(wishes.mail(template, to, secret=secret, code=code))
    mail = await mailbox.next_to(to)
    assert (mail["From"], mail["To"]) == ("web_info@nexi.go.jp", to), requirement
    assert f"{code}001" in text_of(mail)
    assert secret is None or secret in text_of(mail)
    row = await wishes.end(mail_id, "sent")
    assert len(mailbox.to(to)) == 1
    assert secret is None or secret not in str(dict(row))


@pytest.mark.parametrize(
    ("life", "words"),
    [
        (timedelta(minutes=5), "ワンタイムパスワードは発行後5分間に限り有効です。"),
        (timedelta(hours=2), "ワンタイムパスワードは発行後2時間に限り有効です。"),
        (timedelta(days=1), "ワンタイムパスワードは発行後24時間に限り有効です。"),
        (timedelta(days=14), "ワンタイムパスワードは発行後14日間に限り有効です。"),
    ],
)
@pytest.mark.requirement("R320", "O1")
async def test_a_mail_says_for_how_long_its_secret_is_valid(
    wishes: Wishes, mailbox: Mailbox, life: timedelta, words: str
) -> None:
    wish = wishes.mail(Template.ONE_TIME_PASSWORD, address(), secret="40718293", life=life)
    await wishes.say(wish)
    assert words in text_of(await mailbox.next_to(wish.recipient))


@pytest.mark.requirement("R200", "R201", "P5")
async def test_a_receipt_goes_to_the_address_at_the_moment_of_submission(wishes: Wishes, mailbox: Mailbox) -> None:
    code, before, after, web_number = unique.policyholder_code(), address(), address(), number()
    moment = datetime.now(UTC)
    await wishes.address(code, before, 1, at=moment - timedelta(days=2))
    await wishes.address(code, after, 2, at=moment - timedelta(minutes=1))
    (mail_id,) = await wishes.platform.say("applications", submitted(code, web_number, moment - timedelta(days=1)))
    mail = await mailbox.next_to(before)
    assert web_number in mail["Subject"]
    text = text_of(mail)
    assert f"Web申込番号：{web_number}" in text
    assert "申込種類：保険利用者情報変更" in text
    assert "申込者：日本　太郎" in text
    assert mailbox.to(after) == []
    assert (await wishes.end(mail_id, "sent"))["application_number"] == web_number


@pytest.mark.requirement("R202", "P5")
async def test_a_completion_goes_to_the_address_at_the_moment_of_completion(wishes: Wishes, mailbox: Mailbox) -> None:
    code, before, after, web_number = unique.policyholder_code(), address(), address(), number()
    moment = datetime.now(UTC)
    await wishes.address(code, before, 1, at=moment - timedelta(days=2))
    await wishes.address(code, after, 2, at=moment - timedelta(days=1))
    event = completed(code, web_number, moment - timedelta(hours=1), effective_date=date(2026, 4, 15))
    await wishes.platform.say("applications", event)
    mail = await mailbox.next_to(after)
    assert "手続完了" in mail["Subject"]
    assert "適用日：2026/04/15" in text_of(mail)
    assert mailbox.to(before) == []


@pytest.mark.requirement("P5", "R201")
async def test_news_of_an_address_that_arrive_late_redirect_what_waits(apart: Platform, mailbox: Mailbox) -> None:
    code, before, after = unique.policyholder_code(), address(), address()
    moment = datetime.now(UTC)
    async with sending_to(apart, mailbox.port, address_patience=timedelta(hours=1)) as wishes:
        await wishes.address(code, before, 1, at=moment - timedelta(days=2))
        (mail_id,) = await apart.say("applications", submitted(code, number(), moment))
        await wishes.end(mail_id, "received")
        await wishes.address(code, after, 2, at=moment - timedelta(seconds=5))
        await wishes.hurry(mail_id)
        await mailbox.next_to(after)
        assert mailbox.to(before) == []


@pytest.mark.requirement("P5")
async def test_a_mail_waits_until_the_administrator_is_known(wishes: Wishes, mailbox: Mailbox) -> None:
    code, to, web_number = unique.policyholder_code(), address(), number()
    (event_id,) = await wishes.platform.say("applications", submitted(code, web_number, datetime.now(UTC)))
    aside = "select reason from parked where id = $1 and state = 'retrying'"
    reason = await eventually(lambda: wishes.runtime.database.fetchval(aside, event_id))
    assert reason == "the administrator's address is not known yet"
    await wishes.address(code, to)
    assert web_number in (await mailbox.next_to(to))["Subject"]


@pytest.mark.requirement("P5")
async def test_an_address_that_another_process_hears_while_the_mail_is_set_aside_is_found_too(
    wishes: Wishes, mailbox: Mailbox
) -> None:
    """It wakes what waits for it, but finds nothing: the event that does not see it yet is put aside a moment later."""
    code, to, web_number = unique.policyholder_code(), address(), number()
    (event_id,) = await wishes.platform.say("applications", submitted(code, web_number, datetime.now(UTC)))
    aside = "select true from parked where id = $1"
    await eventually(lambda: wishes.runtime.database.fetchval(aside, event_id))
    async with wishes.runtime.database.transaction() as tx:
        await addresses.learn(tx, address_changed(code, to, 1), datetime.now(UTC))
    assert web_number in (await mailbox.next_to(to))["Subject"]


@pytest.mark.requirement("P1")
async def test_a_rejection_is_told_with_its_reason(wishes: Wishes, mailbox: Mailbox) -> None:
    code, to = unique.policyholder_code(), address()
    await wishes.address(code, to)
    event = rejected(code, number(), datetime.now(UTC), "登記所在地を確認できませんでした。\r\nBcc: x@y.jp")
    await wishes.platform.say("applications", event)
    text = text_of(await mailbox.next_to(to))
    assert "理由：登記所在地を確認できませんでした。 Bcc: x@y.jp" in text


@pytest.mark.requirement("P7")
async def test_a_touched_account_is_told_as_a_warning_beside_the_completion(wishes: Wishes, mailbox: Mailbox) -> None:
    code, to = unique.policyholder_code(), address()
    await wishes.address(code, to)
    about = {"procedure": "account_registration", "procedure_label": "口座登録"}
    await wishes.platform.say("applications", completed(code, number(), datetime.now(UTC), **about))
    await mailbox.next_to(to, after=1)
    subjects = sorted(mail["Subject"].partition("】")[2][:6] for mail in mailbox.to(to))
    assert subjects == ["口座情報の変", "手続完了のお"]


@pytest.mark.requirement("L8")
async def test_a_disabled_administrator_gets_no_mail_and_operators_see_it(wishes: Wishes, mailbox: Mailbox) -> None:
    code, to = unique.policyholder_code(), address()
    await wishes.address(code, to, enabled=False)
    (mail_id,) = await wishes.platform.say("applications", submitted(code, number(), datetime.now(UTC)))
    row = await wishes.end(mail_id, "failed")
    assert row["reason"] == "the administrator is disabled"
    async with wishes.runtime.database.transaction() as tx:
        assert not await mails.resend(tx, mail_id, datetime.now(UTC))
    assert mailbox.to(to) == []
    await wishes.address(code, to, 2)

    async def resent() -> bool:
        async with wishes.runtime.database.transaction() as tx:
            return await mails.resend(tx, mail_id, datetime.now(UTC) + timedelta(days=1))

    await eventually(resent)
    await mailbox.next_to(to)


@pytest.mark.requirement("L8")
async def test_no_mail_of_another_service_is_sent_again_to_somebody_who_is_disabled(
    wishes: Wishes, mailbox: Mailbox
) -> None:
    """The user whom it is about; or the administrator, who reads the passwords of the applicants."""
    code, theirs, administrators = unique.policyholder_code(), address(), address()
    own = await wishes.say(wishes.mail(Template.GROUP_VIEWER_PASSWORD, theirs, secret=PASSWORD, code=code))
    first = await wishes.say(wishes.mail(Template.INITIAL_PASSWORD, administrators, secret=PASSWORD, code=code))
    await wishes.end(own, "sent")
    await wishes.end(first, "sent")
    await wishes.address(code, administrators)
    gone = address_changed(code, theirs, 1, enabled=False)
    viewer = gone.model_copy(update={"user_id": f"{code}001", "role": Role.GROUP_VIEWER})
    await wishes.platform.say("identity", viewer)

    async def resend(mail_id: UUID) -> bool:
        async with wishes.runtime.database.transaction() as tx:
            return await mails.resend(tx, mail_id, datetime.now(UTC))

    async def known() -> Any:
        return await wishes.runtime.database.fetchval("select true from addresses where user_id = $1", viewer.user_id)

    await eventually(known)
    assert (await resend(own), await resend(first)) == (False, True)
    await mailbox.next_to(administrators, after=1)
    await wishes.end(first, "sent")
    await wishes.address(code, administrators, 2, enabled=False)
    assert not await resend(first)
    assert len(mailbox.to(theirs)) == 1


@pytest.mark.requirement("P5", "R201", "R202")
async def test_after_a_long_stop_every_mail_still_goes_where_it_belonged(apart: Platform, mailbox: Mailbox) -> None:
    code, first, second, third = unique.policyholder_code(), address(), address(), address()
    received, finished = number(), number()
    start = datetime.now(UTC) - timedelta(hours=3)
    for version, (to, hours) in enumerate([(first, 0), (second, 1), (third, 2)], 1):
        await apart.say("identity", address_changed(code, to, version), time=start + timedelta(hours=hours))
    await apart.say("applications", submitted(code, received, start + timedelta(minutes=30)))
    await apart.say("applications", completed(code, finished, start + timedelta(minutes=90)))
    async with sending_to(apart, mailbox.port):
        assert received in (await mailbox.next_to(first))["Subject"]
        assert finished in (await mailbox.next_to(second))["Subject"]
        assert mailbox.to(third) == []


async def test_facts_that_are_missing_fail_one_mail_and_no_other(wishes: Wishes, mailbox: Mailbox) -> None:
    async with wishes.platform.hears(MailFailed) as spy:
        bad = await wishes.say(wishes.mail(Template.INITIAL_PASSWORD, address(), secret=PASSWORD, facts={}))
        bare = await wishes.say(wishes.mail(Template.ONE_TIME_PASSWORD, address()))
        good_to = address()
        await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, good_to))
        await mailbox.next_to(good_to)
        assert (await wishes.end(bad))["reason"] == "facts: user_id: Field required; name: Field required"
        assert (await wishes.end(bare))["reason"] == "secret: missing"
        assert (await spy.next(mail_id=str(bad)))["data"]["state"] == "failed"


async def test_a_template_that_breaks_fails_one_mail_and_no_other(
    wishes: Wishes, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(japanese.TEXTS, Template.EMAIL_CHANGE_NOTICE, lambda _facts: 1 / 0)
    bad = await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address()))
    to = address()
    await wishes.say(wishes.mail(Template.PASSWORD_REISSUED, to, secret=PASSWORD))
    await mailbox.next_to(to)
    assert (await wishes.end(bad))["reason"] == "template: ZeroDivisionError"
