"""What an operator types, and what a monitoring system reads: every mail's fate without a secret."""

import argparse
from typing import Any

import aiohttp
import pytest

from contracts.notifier import Template
from notifier.commands import mails as commands
from notifier.commands import previews
from notifier.mails.catalogue import CATALOGUE
from notifier.service import service
from notifier.settings import Settings
from tests.notifier.terminal import Command, printed, typed
from tests.notifier.test_operators import receipt
from tests.notifier.wishes import Wishes, address
from tests.support import unique
from tests.support.mailbox import Mailbox


@pytest.fixture
def command(wishes: Wishes) -> Command:
    """`await command("search", "--number", …)` as on the command line."""
    return typed(wishes, commands.define)


async def test_the_command_line_searches_shows_and_sends_again(
    wishes: Wishes, command: Command, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    code, to = unique.policyholder_code(), address()
    web_number, mail_id = await receipt(wishes, code, to)

    await command("search", "--number", web_number, "--since", "2020-01-01", "--until", "2100-01-01T00:00+09:00")
    assert [row["id"] for row in printed(capsys)] == [mail_id]
    assert await command("resend", mail_id, "--by", "suzuki") == 0
    await mailbox.next_to(to, after=1)
    await wishes.end((await wishes.runtime.database.fetchval("select id from mails where id = $1", mail_id)), "sent")
    await command("show", mail_id)
    shown, done = printed(capsys)
    assert (shown["recipient"], shown["resent"]) == (to, 1)
    assert (done["operator"], done["what"]) == ("operator:suzuki", "resend")
    await command("unknown")
    assert mail_id not in [row["id"] for row in printed(capsys)]
    await command("statistics")
    assert any(row.get("template") == "application_received" for row in printed(capsys))
    assert await command("show", "00000000-0000-7000-8000-000000000000") == 1
    assert await command("resend", "00000000-0000-7000-8000-000000000000", "--by", "suzuki") == 1


async def test_the_command_line_finds_mails_by_user_policyholder_and_state(
    wishes: Wishes, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    code, other = unique.policyholder_code(), unique.policyholder_code()
    ids = []
    for owner, facts in ((code, None), (code, {}), (other, None)):
        wish = wishes.mail(Template.EMAIL_CHANGE_NOTICE, address(), code=owner, facts=facts)
        ids.append(str(mail_id := await wishes.say(wish)))
        await wishes.end(mail_id, "sent", "failed")
    sent, failed, _ = ids
    for options, expected in (
        (("--user", f"{code}001"), [failed, sent]),
        (("--policyholder", code), [failed, sent]),
        (("--policyholder", code, "--state", "failed"), [failed]),
        (("--policyholder", code, "--state", "retrying"), []),
        (("--user", f"{code}001", "--limit", "1"), [failed]),
        (("--user", f"{code}001", "--policyholder", other), []),
    ):
        assert await command("search", *options) == 0
        assert [row["id"] for row in printed(capsys)] == expected, options


@pytest.mark.requirement("R-6")
async def test_a_mail_of_unknown_fate_is_listed_until_an_operator_sends_it_again(
    wishes: Wishes, command: Command, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    to = address()
    mail_id = await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, to))
    await wishes.end(mail_id, "sent")
    async with wishes.platform.owner("notifier") as database:
        await database.execute("update mails set state = 'unknown', accepted_at = null where id = $1", mail_id)
    await command("unknown")
    assert str(mail_id) in [row["id"] for row in printed(capsys)]
    assert await command("resend", mail_id, "--by", "suzuki") == 0
    await wishes.end(mail_id, "sent")
    await command("unknown")
    assert str(mail_id) not in [row["id"] for row in printed(capsys)]
    assert (await mailbox.next_to(to, after=1))["Message-ID"] == f"<{mail_id}.1@nexi.go.jp>"


async def test_every_mail_and_the_letter_can_be_previewed(
    wishes: Wishes, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    work = previews.define(parser)
    settings = wishes.runtime.provides[service.settings]
    assert isinstance(settings, Settings)
    await work(settings, parser.parse_args([]))
    listed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*CATALOGUE, "letter"]
    for template in CATALOGUE:
        await work(settings, parser.parse_args([template]))
        assert capsys.readouterr().out.startswith("Subject: 【NEXI Webサービス】")
    sheet = tmp_path / "letter.pdf"
    await work(settings, parser.parse_args(["letter", "--to", str(sheet)]))
    assert sheet.read_bytes().startswith(b"%PDF")


async def test_what_waits_and_how_the_relay_answers_is_measured(wishes: Wishes, client: aiohttp.ClientSession) -> None:
    await wishes.end(await wishes.say(wishes.mail(Template.EMAIL_CHANGE_NOTICE, address())), "sent")
    async with client.get(f"{wishes.runtime.url}/metrics") as answer:
        told = await answer.text()
    for start in (
        "mail_oldest_waiting_seconds ",
        "mail_longest_sending_seconds ",
        'mails{state="unknown"} ',
        'mails{state="received"} ',
        'mails_ended_total{state="sent",template="email_change_notice"} ',
        "mail_smtp_seconds_count ",
    ):
        assert f"\n{start}" in told
