"""Applicants come to be by their administrator alone, each with an ID of its own, and are found again in the list."""

import asyncio
import re
from uuid import uuid4

import pytest

from contracts.identity import AddressChanged, ApplicantRegistered
from contracts.notifier import SendMail
from tests.identity.administration.firms import NEW_APPLICANT, RIDERS, Firm
from tests.support import sealing
from tests.support.platform import Platform


@pytest.mark.requirement("R63", "R66", "R125", "R142", "W2")
async def test_a_registration_answers_with_the_new_id(firm: Firm) -> None:
    first = await firm.ask("POST", "/applicants", NEW_APPLICANT)
    second = await firm.ask("POST", "/applicants", NEW_APPLICANT)
    assert (first.status, second.status) == (201, 201)
    assert [one.body["user_id"] for one in (first, second)] == [f"{firm.code}001", f"{firm.code}002"]
    assert "登録しました" in first.body["message"]
    assert first.body["applicant"]["state_label"] == "有効"
    assert first.body["applicant"]["password_state"] == "temporary"


@pytest.mark.requirement("R67", "R140", "L5")
async def test_the_first_password_goes_sealed_to_the_administrator(firm: Firm, platform: Platform) -> None:
    async with platform.hears(SendMail) as mails, platform.hears(AddressChanged, ApplicantRegistered) as events:
        shown = await firm.register(email="new@sample.com")
        mail = await mails.next(about_user_id=shown["user_id"])
        address = await events.next(user_id=shown["user_id"])
        registered = await events.next(about_user_id=shown["user_id"])
    assert mail["data"]["template"] == "initial_password"
    assert mail["data"]["recipient"] == "admin@sample.com"
    assert mail["data"]["facts"] == {"user_id": shown["user_id"], "name": shown["name"]}
    password = sealing.secret_of(mail)
    assert re.fullmatch(r"[^\W_]{16}", password)
    assert password not in str(mail["data"])
    days = await firm.database.fetchval(
        "select extract(epoch from expires_at - issued_at) / 86400 from temporary_passwords where user_id = $1",
        shown["user_id"],
    )
    assert days == 14
    assert (address["data"]["address"], address["data"]["version"]) == ("new@sample.com", 1)
    assert registered["data"]["operator"]["user_id"] == f"{firm.code}000"
    assert registered["data"]["operator"]["name"] == firm.administrator.operator.name
    assert registered["data"]["operation"] is None


@pytest.mark.requirement("R126", "R137", "R138", "R139")
async def test_a_validation_shows_every_line_in_the_words_of_the_screen_and_stores_nothing(firm: Firm) -> None:
    form = NEW_APPLICANT | {"contract_data": "listed_riders", "rider_codes": [RIDERS[1], RIDERS[0], RIDERS[1]]}
    answer = await firm.ask("POST", "/applicants/validation", form)
    assert answer.status == 200
    assert [(line["label"], line["value"]) for line in answer.body["items"]] == [
        ("メールアドレス", "nippo-taro@sample.com"),
        ("氏名", "日本　太郎"),
        ("電話番号", "03-1234-5678"),
        ("所属名", "見本事業部"),
        ("役職名", "事業部長"),
        ("入力/申込権限", "入力権限のみ"),
        ("情報データ参照範囲", "対象特約のみ参照可能"),
        ("参照可能な特約コード", f"{RIDERS[0]}、{RIDERS[1]}"),
        ("申込データ参照範囲", "ログインユーザーによる申込のみ参照可能"),
    ]
    assert (await firm.ask("GET", "/applicants")).body["total"] == 0
    corrected = await firm.ask("POST", "/applicants/validation", form | {"name": "修正　後"})
    assert corrected.status == 200, "修正する goes back to the input, as often as one likes"


@pytest.mark.requirement("R119", "F2")
@pytest.mark.parametrize("address", ["a@gmail.com", "b@docomo.ne.jp", "c@mail.ezweb.ne.jp", "D@Yahoo.CO.JP"])
async def test_free_mail_and_mobile_addresses_warn_and_are_accepted(firm: Firm, address: str) -> None:
    answer = await firm.ask("POST", "/applicants/validation", NEW_APPLICANT | {"email": address})
    assert [one["rule"] for one in answer.body["warnings"]] == ["discouraged"]
    assert "推奨しません" in answer.body["warnings"][0]["message"]
    assert (await firm.register(email=address))["email"] == address


@pytest.mark.requirement("W2", "C-7")
async def test_parallel_registrations_get_different_ids_and_no_gap(firm: Firm, platform: Platform) -> None:
    async with platform.running("identity") as other:
        processes = (firm.runtime, other) * 10
        answers = await asyncio.gather(
            *(firm.ask("POST", "/applicants", NEW_APPLICANT, runtime=process) for process in processes)
        )
    assert {one.status for one in answers} == {201}
    assert sorted(one.body["user_id"] for one in answers) == [f"{firm.code}{serial:03d}" for serial in range(1, 21)]


async def test_the_same_idempotency_key_registers_nobody_twice(firm: Firm) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*(firm.ask("POST", "/applicants", NEW_APPLICANT, headers=key) for _ in range(8)))
    assert sorted(one.status for one in answers) == [200] * 7 + [201]
    assert {one.body["user_id"] for one in answers} == {f"{firm.code}001"}
    other = await firm.ask("POST", "/applicants", NEW_APPLICANT | {"name": "別人"}, headers=key)
    assert (other.status, other.problem) == (422, "key-used-otherwise")


async def test_a_repeated_registration_is_answered_alike_after_nexi_withdrew_its_rider(firm: Firm) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    wish = NEW_APPLICANT | {"contract_data": "listed_riders", "rider_codes": [RIDERS[0]]}
    first = await firm.ask("POST", "/applicants", wish, headers=key)
    await firm.database.execute("update companies set rider_codes = '{}' where policyholder_code = $1", firm.code)
    again = await firm.ask("POST", "/applicants", wish, headers=key)
    assert (first.status, again.status, again.body["user_id"]) == (201, 200, first.body["user_id"])


@pytest.mark.requirement("W2")
async def test_serials_end_at_999_and_are_not_reused(firm: Firm) -> None:
    await firm.database.execute("update companies set last_serial = 998 where policyholder_code = $1", firm.code)
    assert (await firm.register())["user_id"] == f"{firm.code}999"
    refused = await firm.ask("POST", "/applicants", NEW_APPLICANT)
    assert (refused.status, refused.problem) == (409, "no-id-left")


async def test_an_id_that_a_group_viewer_has_is_passed_over(firm: Firm) -> None:
    await firm.database.execute(
        "insert into users (user_id, policyholder_code, role, name, email, entry, contract_data, application_data)"
        " values ($1, $2, 'group_viewer', '閲覧', 'g@sample.com', 'none', 'all', 'none')",
        f"{firm.code}001", firm.code,
    )  # fmt: skip
    assert (await firm.register())["user_id"] == f"{firm.code}002"
    assert (await firm.ask("GET", f"/applicants/{firm.code}001")).status == 404


async def test_without_a_key_to_seal_with_nothing_is_done(firm: Firm) -> None:
    async with sealing.no_good_key(firm.database):
        busy = await firm.ask("POST", "/applicants", NEW_APPLICANT, patient=False)
    assert (busy.status, busy.headers["Retry-After"]) == (503, "2")
    assert (await firm.register())["user_id"] == f"{firm.code}001"


@pytest.mark.requirement("R143", "R144")
async def test_the_detail_shows_everything_with_labels(firm: Firm) -> None:
    shown = await firm.register(contract_data="listed_riders", rider_codes=list(RIDERS[:2]))
    detail = await firm.ask("GET", f"/applicants/{shown['user_id']}")
    assert detail.status == 200
    assert detail.body == shown
    expected = {
        "user_id": f"{firm.code}001",
        "version": 1,
        "enabled": True,
        "state_label": "有効",
        "entry_label": "入力権限のみ",
        "contract_data_label": "対象特約のみ参照可能",
        "application_data_label": "ログインユーザーによる申込のみ参照可能",
        "rider_codes": [{"rider_code": code, "effective": True} for code in RIDERS[:2]],
        "last_login_at": None,
        "locked": False,
    }
    assert {name: detail.body[name] for name in expected} == expected


@pytest.mark.requirement("R143", "R69")
async def test_the_list_is_searched_sorted_and_paged(firm: Firm) -> None:
    people = [
        ("kato@sample.com", "加藤　一", "輸出部"),
        ("jiro@sample.co.jp", "ＡＢＥ　次郎", "経理部ｇｒｏｕｐ"),
        ("Sato@other.jp", "佐藤　三郎", "輸出部"),
    ]
    for email, name, department in people:
        await firm.register(email=email, name=name, department=department)

    async def found(query: str) -> list[str]:
        answer = await firm.ask("GET", f"/applicants?{query}")
        assert answer.status == 200, answer.body
        return [one["user_id"][-3:] for one in answer.body["items"]]

    assert await found("") == ["001", "002", "003"]
    assert await found("search=輸出") == ["001", "003"]
    for word in ("abe", "ABE", "Ａｂｅ", "GROUP", "abe 次"):
        assert await found(f"search={word}") == ["002"], "half-width letters find full-width ones, in either case"
    assert await found("search=SATO") == ["003"]
    assert await found(f"search={firm.code}002") == ["002"]
    assert await found("search=%25") == [], "no wildcard"
    assert await found("sort=email") == ["002", "001", "003"]
    assert await found("sort=email&order=desc") == ["003", "001", "002"]
    assert await found("sort=name&order=desc") == ["002", "001", "003"]
    assert await found("page_size=2") == ["001", "002"]
    assert await found("page_size=2&page=2") == ["003"]
    assert await found("page_size=2&page=3") == []
    assert await found("state=disabled") == []
    page = (await firm.ask("GET", "/applicants?page_size=2&search=sample")).body
    assert (page["total"], page["pages"], page["page"]) == (2, 1, 1)


@pytest.mark.parametrize("query", ["page=0", "page_size=0", "page_size=1000", "sort=password", "state=x", "other=1"])
async def test_a_list_refuses_what_it_does_not_know(firm: Firm, query: str) -> None:
    assert (await firm.ask("GET", f"/applicants?{query}")).status == 422


@pytest.mark.requirement("R143", "L8")
async def test_a_list_of_999_shows_all_of_them_disabled_ones_too(firm: Firm) -> None:
    await firm.database.execute(
        "insert into users"
        " (user_id, policyholder_code, role, name, email, entry, contract_data, application_data, enabled)"
        " select $1 || lpad(n::text, 3, '0'), $1, 'applicant', '氏名' || n, n || '@sample.com', 'none', 'none', 'none',"
        " n % 3 > 0 from generate_series(1, 999) n",
        firm.code,
    )
    everything = (await firm.ask("GET", "/applicants?page_size=999&sort=state")).body
    assert (everything["total"], len(everything["items"])) == (999, 999)
    assert [one["enabled"] for one in everything["items"]] == [False] * 333 + [True] * 666
    disabled = (await firm.ask("GET", "/applicants?state=disabled&page=7&page_size=50")).body
    assert (disabled["total"], disabled["pages"], len(disabled["items"])) == (333, 7, 33)
