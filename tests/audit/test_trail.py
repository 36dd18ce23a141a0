"""The security trail is the administrator's own; people see what they did; operators follow everything as OCSF."""

import asyncio
import csv
import io
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from audit.api import siem
from audit.labels import labels
from audit.store import log
from chassis.messages import subclasses
from chassis.service import Runtime
from contracts.actions import Action
from contracts.caller import Caller
from contracts.identity import (
    LoggedOut,
    LoginFailed,
    LoginSucceeded,
    OneTimePasswordSettingChanged,
    PasswordReset,
    UserLocked,
)
from contracts.notifier import ITSELF, MailFailed
from contracts.operations import Operation
from tests.audit.conftest import Company
from tests.support import callers, unique
from tests.support.platform import Platform

JAPAN = timedelta(hours=9)


async def show(company: Company, path: str, caller: Caller | None = None) -> Any:
    """A resource as JSON."""
    status, body = await company.get(path, caller)
    assert status == 200, body
    return json.loads(body)


@pytest.mark.requirement("H2")
async def test_the_trail_shows_the_own_policyholder_newest_first_page_by_page(
    platform: Platform, company: Company
) -> None:
    now = datetime.now(UTC)
    for age in (0, 1, 1, 30, 200, 300):
        at = now - timedelta(days=age, seconds=1)
        await platform.say("identity", LoggedOut(operator=company.operator(age % 9, name=f"{age}")), time=at)
    await platform.say("identity", LoginFailed(operator=company.operator(1), reason="wrong_password"))
    await platform.say("identity", LoginSucceeded(operator=company.operator(1)))
    await company.has(8)
    seen: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None:
        page = await show(company, f"/security-trail?limit=2{following and f'&after={following}'}")
        assert len(page["rows"]) <= 2
        seen += page["rows"]
        following = page["next"]
    assert [row["label"] for row in seen] == ["ログイン失敗", *["ログアウト"] * 6]
    assert seen[0]["outcome_label"] == "失敗"
    assert seen[0]["details"] == {"reason": "wrong_password"}
    moments = [row["performed_at"] for row in seen]
    assert moments == sorted(moments, reverse=True)
    assert len({row["number"] for row in seen}) == 7
    one = await show(company, f"/security-trail?user_id={company.code}003")
    assert {row["user_id"] for row in one["rows"]} == {f"{company.code}003"}
    old = await show(company, f"/security-trail?last_day={now + JAPAN - timedelta(days=100):%Y-%m-%d}")
    assert [row["name"] for row in old["rows"]] == ["200", "300"]
    assert await show(company, "/security-trail?first_day=2999-01-01") == {"rows": [], "next": None}
    assert (await show(company, "/security-trail", callers.administrator(unique.policyholder_code())))["rows"] == []
    assert (await company.get("/security-trail", company.applicant(1)))[0] == 403
    assert (await company.get("/security-trail?first_day=2026-02-01&last_day=2026-01-01"))[0] == 422


@pytest.mark.requirement("H2", "H5")
async def test_the_trail_is_exported_like_the_history_and_apart_from_it(platform: Platform, company: Company) -> None:
    begun = datetime.now(UTC)
    await platform.say("identity", PasswordReset(operator=company.operator(), about_user_id=f"{company.code}001"))
    locked = UserLocked(operator=company.operator(1), until=datetime.now(UTC), source_address="192.0.2.1")
    await platform.say("identity", locked)
    await platform.say("identity", LoginSucceeded(operator=company.operator()))
    await company.has(3)
    first, last = (f"{moment + JAPAN:%Y-%m-%d}" for moment in (begun, datetime.now(UTC)))
    async with company.client.post(
        f"{company.url}/security-trail/searches",
        json={"first_day": first, "last_day": last, "form": "by_time"},
        headers=platform.headers(company.administrator),
    ) as response:
        found = await response.json()
    assert found["records"] == 2
    status, body = await company.get(f"/security-trail/searches/{found['id']}/csv")
    assert status == 200
    assert 0.9 * len(body) <= found["bytes"] <= 1.1 * len(body)
    records = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert records[0] == [
        "アクセス日時", "WebユーザーID", "操作内容", "結果", "氏名", "所属名", "役職名", "接続元", "詳細",
    ]  # fmt: skip
    assert [(row[2], row[3], row[7]) for row in records[1:]] == [
        ("申込者のパスワード再設定", "成功", ""), ("ユーザーのロック", "拒否", "192.0.2.1"),
    ]  # fmt: skip
    assert json.loads(records[1][8]) == {"about_user_id": f"{company.code}001"}
    assert (await company.get(f"/access-history/searches/{found['id']}/csv"))[0] == 404
    assert (await company.get(f"/security-trail/searches/{found['id']}/manifest"))[0] == 200
    history = await company.search(first, last)
    assert history["records"] == 1


async def test_everybody_sees_the_own_operations_and_no_others(platform: Platform, company: Company) -> None:
    me = company.applicant(1)
    for event in (
        LoginFailed(operator=company.operator(1), reason="wrong_password"),
        LoginSucceeded(operator=company.operator(1), session_id=me.session_id, source_address="192.0.2.9"),
        LoginSucceeded(operator=company.operator(2)),
    ):
        await platform.say("identity", event)
        await asyncio.sleep(0.05)
    await company.has(3)
    page = await show(company, "/own-history", me)
    shown = page["rows"]
    assert page["next"] is None
    assert [(row["label"], row["operation"], row["outcome"]) for row in shown] == [
        ("[1-1]ログイン", "1-1", "done"), ("ログイン失敗", None, "failed"),
    ]  # fmt: skip
    assert [(row["this_session"], row["source_address"]) for row in shown] == [(True, "192.0.2.9"), (False, None)]
    assert (await company.get("/own-history", callers.operator()))[0] == 403


async def test_own_history_is_paged_without_losing_what_happened_at_the_same_moment(company: Company) -> None:
    """Nor is a cursor beyond all times anything but a wrong field."""
    at, me = datetime.now(UTC).replace(microsecond=7), company.applicant(1)
    codes = ["1-3", "2-5", "2-6", "8-1", "8-2"]
    await company.did(*((company.operator(1), Operation(code), at) for code in codes))
    seen: list[str] = []
    path: str | None = "/own-history?limit=2"
    while path:
        page = await show(company, path, me)
        seen += [row["operation"] for row in page["rows"]]
        path = page["next"] and f"/own-history?limit=2&after={page['next']}"
    assert sorted(seen) == codes
    greatest = f"{'9' * 17}-{'9' * 18}"
    assert len((await show(company, f"/own-history?after={greatest}", me))["rows"]) == len(codes)
    assert (await show(company, "/own-history?after=0-0", me))["rows"] == []
    for wrong in ("9" * 18 + "-1", "0001-01-01T00:00:00%2B09:00", "1-" + "9" * 19):
        status, problem = await company.get(f"/own-history?after={wrong}", me)
        assert (status, json.loads(problem)["errors"][0]["field"]) == (422, "query.after")
    too_far = f"/proofs/checkpoints?rows={2**63}"
    assert (await company.get(too_far, callers.operator()))[0] == 422


async def lines(runtime: Runtime, client: aiohttp.ClientSession, platform: Platform, query: str) -> list[Any]:
    """What an operator's SIEM reads."""
    headers = platform.headers(callers.operator())
    async with client.get(f"{runtime.url}/security-events?{query}", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("application/x-ndjson")
        return [json.loads(line) for line in (await response.text()).splitlines() if line]


async def test_operators_read_everything_as_ocsf_lines(
    platform: Platform, audit: Runtime, client: aiohttp.ClientSession, company: Company
) -> None:
    who = company.operator()
    for event in (
        LoginSucceeded(operator=who, session_id="s", source_address="192.0.2.1"),
        LoginFailed(operator=who, reason="locked"),
        OneTimePasswordSettingChanged(operator=who, in_use=True),
        PasswordReset(operator=who, about_user_id=f"{company.code}001"),
    ):
        await platform.say("identity", event)
    await company.did((who, Operation.CONTRACT_DOWNLOAD, datetime.now(UTC)))
    await company.has(5)
    found = {
        one["metadata"]["event_code"]: one
        for one in await lines(audit, client, platform, "after=0")
        if one["actor"]["user"]["org"]["uid"] == company.code
    }
    assert {code: (one["type_uid"], one["status"]) for code, one in found.items()} == {
        "1-1": (300201, "Success"),
        "identity.login_failed": (300201, "Failure"),
        "identity.one_time_password_setting_changed": (300110, "Success"),
        "identity.password_reset": (300104, "Success"),
        "8-2": (600303, "Success"),
    }
    login = found["1-1"]
    assert (login["src_endpoint"]["ip"], login["actor"]["session"]["uid"]) == ("192.0.2.1", "s")
    assert found["identity.password_reset"]["user"] == {"uid": f"{company.code}001"}
    for one in found.values():
        assert one["type_uid"] == one["class_uid"] * 100 + one["activity_id"]
        assert one["metadata"]["version"] == "1.3.0"
    last = max(one["metadata"]["sequence"] for one in found.values())
    again = await lines(audit, client, platform, f"after={last - 1}")
    assert again[0]["metadata"]["logged_time"] in {one["metadata"]["logged_time"] for one in found.values()}
    beyond = await lines(audit, client, platform, f"after={last}")  # what else is recorded meanwhile, refusals too
    assert all(one["metadata"]["sequence"] > last for one in beyond)
    assert (await company.get("/security-events?after=0"))[0] == 403
    assert (await company.get(f"/security-events?after={2**63}", callers.operator()))[0] == 422


@pytest.mark.requirement("H2", "P5")
async def test_mails_that_will_not_be_sent_are_in_the_trail_of_the_company_that_they_concern(
    platform: Platform, audit: Runtime, client: aiohttp.ClientSession, company: Company
) -> None:
    user_id = f"{company.code}000"
    failed = MailFailed(
        operator=ITSELF.model_copy(update={"policyholder_code": company.code}), policyholder_code=company.code,
        mail_id="m", template="application_received", about_user_id=user_id, state="failed", reason="RCPT: 550 nobody",
    )  # fmt: skip
    await platform.say("notifier", failed)
    await company.has(1)
    (row,) = (await show(company, "/security-trail"))["rows"]
    assert (row["label"], row["outcome_label"], row["user_id"]) == ("メールの送信失敗", "失敗", "system:notifier")
    (said,) = [
        one
        for one in await lines(audit, client, platform, "after=0")
        if one["actor"]["user"]["org"]["uid"] == company.code
    ]
    assert (said["metadata"]["event_code"], said["status"]) == ("notifier.mail_failed", "Failure")
    assert said["unmapped"]["about_user_id"] == user_id


async def test_the_live_tail_brings_rows_as_they_are_recorded(
    platform: Platform, audit: Runtime, client: aiohttp.ClientSession, company: Company
) -> None:
    headers = platform.headers(callers.operator())
    url = f"{audit.url}/security-events?follow=true&view=trail"
    async with asyncio.timeout(20), client.get(url, headers=headers) as response:
        await platform.say("identity", LoginSucceeded(operator=company.operator()))
        await platform.say("identity", LoggedOut(operator=company.operator()))
        while True:
            line = json.loads(await response.content.readline())
            if line["actor"]["user"]["org"]["uid"] == company.code:
                break
    assert (line["class_name"], line["activity_name"], line["message"]) == ("Authentication", "Logoff", "ログアウト")


async def test_the_live_tail_brings_all_that_is_recorded_once_its_answer_has_begun(
    platform: Platform, audit: Runtime, client: aiohttp.ClientSession, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, recorded = log.end, asyncio.Event()

    async def late(reader: Any) -> Any:
        """A busy database: it answers when something was recorded, if nobody waits for the answer to record it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await recorded.wait()
        return await end(reader)

    monkeypatch.setattr(log, "end", late)
    url = f"{audit.url}/security-events?follow=true&view=trail"
    async with asyncio.timeout(20), client.get(url, headers=platform.headers(callers.operator())) as response:
        await platform.say("identity", LoggedOut(operator=company.operator()))
        await company.has(1)
        recorded.set()
        while json.loads(await response.content.readline())["actor"]["user"]["org"]["uid"] != company.code:
            pass


async def test_the_live_tail_breaks_off_when_its_token_lapses(
    platform: Platform, audit: Runtime, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siem, "BEAT_SECONDS", 0.5)
    headers = {"Authorization": f"Bearer {platform.signer.token(callers.operator(), lapses_in=3)}"}
    url = f"{audit.url}/security-events?follow=true"
    async with asyncio.timeout(20), client.get(url, headers=headers) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            while True:
                await response.content.readline()


def test_every_action_outside_of_the_catalogue_has_a_japanese_name() -> None:
    unnamed = {
        kind.wire_type()
        for kind in subclasses(Action)
        if kind.__module__.startswith("contracts.")
        and kind.__module__ != "contracts.actions"
        and "operation" not in kind.__annotations__
    }
    assert unnamed <= labels().keys()
