"""The mail catcher takes real SMTP, shows Japanese mail, lets nothing of a mail become markup, and forgets nothing."""

import asyncio
import smtplib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest

from deploy.local import processes
from deploy.local.ports import Ports
from deploy.local.state import State
from deploy.local.surroundings import common
from deploy.local.workers import answers

SUBJECT = "【重要】<b>ワンタイムパスワード</b>のお知らせ"
TEXT = "髙﨑𠮷 様\n<script>alert(1)</script>\n"


@dataclass
class Catcher:
    """A running mail catcher as an outsider sees it."""

    smtp_port: int
    url: str
    restart: Callable[[], None]

    def send(self, recipient: str, subject: str = SUBJECT, charset: str = "utf-8") -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "info@nexi.example", recipient, subject
        mail.set_content(TEXT if charset == "utf-8" else "山田 様\n", charset=charset)
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as smtp:
            smtp.send_message(mail, to_addrs=[recipient, "hidden@example.jp"])

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as client, client.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()

    async def messages(self, **search: str) -> list[dict[str, Any]]:
        async with (
            aiohttp.ClientSession() as client,
            client.get(self.url + "/api/messages", params=search) as answer,
        ):
            return list((await answer.json())["messages"])


@asynccontextmanager
async def catching(state: State) -> AsyncIterator[Catcher]:
    ports = Ports(state, settings={})
    smtp, web = ports.port("smtp"), ports.port("inbox")
    command = [sys.executable, "-m", "deploy.local.mailcatcher", f"--smtp-port={smtp}", f"--web-port={web}"]
    command += [f"--directory={state.folder / 'mails'}"]
    url = f"http://127.0.0.1:{web}"

    def start() -> None:
        processes.start(state, "mailcatcher", command, common())
        limit = time.monotonic() + 20
        while not answers(url):
            assert time.monotonic() < limit, processes.tail(state.log("mailcatcher"))
            time.sleep(0.05)

    def restart() -> None:
        processes.left_behind(state)["mailcatcher"].stop()
        start()

    start()
    yield Catcher(smtp, url, restart)
    processes.left_behind(state)["mailcatcher"].stop()


@pytest.fixture
async def catcher(state: State) -> AsyncIterator[Catcher]:
    async with catching(state) as running:
        yield running


async def test_a_japanese_mail_is_found_and_shown_without_becoming_markup(catcher: Catcher) -> None:
    catcher.send("yamada@example.jp")
    catcher.send("tanaka@example.jp", "ISO-2022-JPの件名", "iso-2022-jp")
    [mail] = await catcher.messages(recipient="YAMADA", subject="パスワード", body="𠮷")
    assert (mail["subject"], mail["text"]) == (SUBJECT, TEXT)
    assert [one["text"] for one in await catcher.messages()] == ["山田 様\n", TEXT], "newest first"
    for path in ("/", f"/messages/{mail['id']}"):
        status, page = await catcher.get(path)
        assert status == 200
        assert "ワンタイムパスワード" in page
        assert "<script>" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page and "髙﨑𠮷" in page


async def test_hidden_recipients_find_their_mail(catcher: Catcher) -> None:
    catcher.send("yamada@example.jp")
    assert len(await catcher.messages(recipient="hidden@example.jp")) == 1


async def test_a_search_can_wait_for_a_mail_that_is_still_to_come(catcher: Catcher) -> None:
    waiting = asyncio.create_task(catcher.messages(recipient="late@example.jp", wait="10"))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(catcher.send, "late@example.jp")
    [mail] = await waiting
    assert await catcher.messages(after=mail["id"]) == []


async def test_mails_survive_a_restart(catcher: Catcher) -> None:
    catcher.send("yamada@example.jp")
    await asyncio.to_thread(catcher.restart)
    assert [mail["subject"] for mail in await catcher.messages()] == [SUBJECT]


async def test_bad_questions_are_answered_and_foreign_names_refused(catcher: Catcher) -> None:
    assert (await catcher.get("/messages/nothing"))[0] == 404
    assert (await catcher.get("/api/messages?wait=long"))[0] == 400
    assert (await catcher.get("/", Host="evil.example"))[0] == 403


async def test_mail_without_a_known_encoding_is_shown_all_the_same(catcher: Catcher) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port) as smtp:
        raw = b"Subject: =?x-unknown?B?gqA=?=\r\nContent-Type: text/plain; charset=x-unknown\r\n\r\n\x82\xa0\r\n"
        smtp.sendmail("a@example.jp", ["b@example.jp"], raw)
    [mail] = await catcher.messages()
    assert (await catcher.get(f"/messages/{mail['id']}"))[0] == 200
