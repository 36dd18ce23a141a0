"""Each mail goes to the right person in the words of the manual, from NEXI's address, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.notifier import MailAccepted, Template
from tests.notifier.wishes import Wishes, address, completed, number, rejected, submitted
from tests.support import unique
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
