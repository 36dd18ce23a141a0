"""A search says exactly what its download will bring, and serves only what may be served."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from audit.rules import sizes, windows
from audit.rules.windows import Window
from chassis.service import Runtime
from contracts.audit import HistoryExported, HistorySearched
from contracts.operations import Operation
from tests.audit.conftest import Company
from tests.support import callers
from tests.support.eventually import eventually
from tests.support.platform import Platform

JAPAN = timedelta(hours=9)


def today() -> date:
    """In Japan."""
    return (datetime.now(UTC) + JAPAN).date()


def lately() -> tuple[str, str]:
    """First and last day of a search for what was done just now: midnight may pass between the two."""
    return f"{today() - timedelta(days=1)}", f"{today()}"


def noon(day: date) -> datetime:
    """12:00 in Japan."""
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC)


@pytest.mark.requirement("R243", "R249", "H5")
async def test_number_and_size_are_those_of_the_file(company: Company) -> None:
    day = today() - timedelta(days=10)
    done = [
        (company.operator(n % 7, name="日本　太郎" * (n % 3 + 1), title="" if n % 2 else "部長"), operation,
         noon(day) + timedelta(seconds=n))
        for n, operation in enumerate(list(Operation) * 3)
    ]  # fmt: skip
    await company.did(*done)
    for encoding in ("utf-8", "windows-31j"):
        found = await company.search(f"{day}", f"{day}", encoding=encoding, form="by_time")
        body = await company.download(found)
        assert found["records"] == len(done) == body.count(b"\r\n") - 1
        assert 0.9 * len(body) <= found["bytes"] <= 1.1 * len(body)
        assert (found["advice"], found["message"]) == (None, None)


@pytest.mark.requirement("H5")
async def test_the_download_delivers_the_rows_of_the_search_although_more_arrive(company: Company) -> None:
    day = today()
    now = datetime.now(UTC)
    await company.did((company.operator(), Operation.LOGIN, now - timedelta(seconds=5)))
    found = await company.search(f"{day - timedelta(days=1)}", f"{day}")
    first = await company.download(found)
    await company.did((company.operator(), Operation.LOGIN, now - timedelta(seconds=9)))
    await company.did((company.operator(5), Operation.LOGIN, now - timedelta(hours=10)))
    assert await company.download(found) == first
    again = await company.search(f"{day - timedelta(days=1)}", f"{day}")
    assert (found["records"], again["records"]) == (1, 3)


@pytest.mark.requirement("H5")
@pytest.mark.parametrize("name", ["ｶﾅ" * 25, "漢字" * 25, "Ωя" * 25, "é😀" * 25])
async def test_the_size_is_right_whatever_the_letters(company: Company, name: str) -> None:
    """Half-width kana take three bytes in UTF-8 and one in Windows-31J, Greek ones two and two."""
    who = company.operator(1, name=name, department=name[:25], title=name)
    await company.did(*((who, Operation.BUYER_BOOKMARK, datetime.now(UTC)) for _ in range(10)))
    for encoding in ("utf-8", "windows-31j"):
        found = await company.search(*lately(), encoding=encoding)
        assert found["bytes"] == len(await company.download(found))


@pytest.mark.requirement("R244", "R245", "R246", "H4")
@pytest.mark.parametrize(
    ("first", "last", "now", "served"),
    [
        ("2016-03-01", "2016-03-31", "2016-04-15", ("2016-03-22", "2016-03-31")),
        ("2016-03-01", "2016-03-21", "2016-04-15", None),
        ("2025-10-19", "2026-11-23", "2026-11-23", ("2025-11-23", "2026-11-23")),
        ("2025-11-22", "2025-11-22", "2026-11-23", None),
        ("2026-11-01", "2999-12-31", "2026-11-23", ("2026-11-01", "2026-11-23")),
        ("2026-11-24", "2026-11-30", "2026-11-23", None),
        ("0001-01-01", "9999-12-31", "2026-11-23", ("2025-11-23", "2026-11-23")),
        ("2023-02-28", "2024-02-29", "2024-02-29", ("2023-02-28", "2024-02-29")),
    ],
)
def test_the_window_is_clamped_to_a_year_the_beginning_and_now(
    first: str, last: str, now: str, served: tuple[str, str] | None
) -> None:
    moment = noon(date.fromisoformat(now))
    window = windows.served(date.fromisoformat(first), date.fromisoformat(last), moment)
    expected = served and Window(*map(date.fromisoformat, served))
    assert window == expected


@pytest.mark.requirement("H4")
def test_a_day_is_a_day_in_japan() -> None:
    late = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 23 November, 00:00 in Japan
    window = windows.served(date(2026, 11, 23), date(2026, 11, 30), late)
    assert window == Window(date(2026, 11, 23), date(2026, 11, 23))
    assert window.starts_at == late


@pytest.mark.requirement("R244", "H4")
async def test_four_hundred_days_are_served_as_one_year_and_the_answer_says_so(company: Company) -> None:
    inside, outside = today() - timedelta(days=364), today() - timedelta(days=367)
    await company.did(
        (company.operator(), Operation.LOGIN, noon(inside)), (company.operator(), Operation.LOGIN, noon(outside))
    )
    before = today()
    found = await company.search(f"{today() - timedelta(days=400)}", f"{today() + timedelta(days=400)}")
    assert found["records"] == 1
    last_day = date.fromisoformat(found["window"]["last_day"])
    assert last_day in (before, today())
    assert found["window"]["first_day"] == f"{windows.one_year_before(last_day)}"
    assert datetime.fromisoformat(found["window"]["until"]) <= datetime.now(UTC)


@pytest.mark.requirement("R253", "R246")
@pytest.mark.parametrize(("first", "last"), [("2016-03-01", "2016-03-21"), ("2999-01-01", "2999-12-31")])
async def test_a_period_that_cannot_be_served_has_no_data(company: Company, first: str, last: str) -> None:
    found = await company.search(first, last)
    assert (found["records"], found["window"], found["message"]) == (0, None, "対象データがありません")
    status, _ = await company.get(f"/access-history/searches/{found['id']}/csv")
    assert status == 404


@pytest.mark.requirement("R253")
async def test_nothing_found_is_said_and_not_downloaded(company: Company) -> None:
    found = await company.search(f"{today()}", f"{today()}")
    assert (found["records"], found["message"], found["file_name"]) == (0, "対象データがありません", None)
    status, body = await company.get(f"/access-history/searches/{found['id']}/csv")
    assert status == 409
    assert "対象データがありません" in body.decode()


async def ask(company: Company, **question: Any) -> tuple[int, dict[str, Any]]:
    """Any question, well put or not."""
    headers = company.platform.headers(company.administrator)
    async with company.client.post(
        f"{company.url}/access-history/searches", json=question, headers=headers
    ) as response:
        return response.status, dict(await response.json())


async def test_wrong_questions_are_refused_by_field(company: Company) -> None:
    good = {"first_day": "2026-01-01", "last_day": "2026-02-01"}
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"first_day": "2026-02-02"}, "body.last_day"),
        ({"first_day": "2026-02-30"}, "body.first_day"),
        ({"first_day": 20260101}, "body.first_day"),
        ({"last_day": None}, "body.last_day"),
        ({"form": "by_name"}, "body.form"),
        ({"encoding": "utf-7"}, "body.encoding"),
        ({"user_id": ""}, "body.user_id"),
        ({"user_id": 7}, "body.user_id"),
        ({"more": 1}, "body.more"),
    ]
    for wrong, field in wrongs:
        status, problem = await ask(company, **(good | wrong))
        assert status == 422, wrong
        assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.requirement("R247", "R241", "H3")
async def test_one_user_or_all_users_and_the_ids_to_choose_from(company: Company) -> None:
    day = today() - timedelta(days=2)
    await company.did(*((company.operator(n), Operation.LOGIN, noon(day)) for n in (0, 1, 1, 2)))
    code = company.code
    counted = {
        user: (await company.search(f"{day}", f"{day}", user_id=user))["records"]
        for user in (None, f"{code}000", f"{code}001", f"{code}999")
    }
    assert counted == {None: 4, f"{code}000": 1, f"{code}001": 2, f"{code}999": 0}
    async with company.client.get(
        f"{company.url}/access-history/user-ids", headers=company.platform.headers(company.administrator)
    ) as response:
        shown = await response.json()
    assert {one["user_id"] for one in shown} >= {f"{code}000", f"{code}001", f"{code}002"}
    only = await company.download(await company.search(f"{day}", f"{day}", user_id=f"{code}001"))
    assert only.count(f"{code}001".encode()) == 2
    assert f"{code}002".encode() not in only


@pytest.mark.requirement("R72", "R242")
async def test_only_the_administrator_and_only_of_the_own_policyholder(platform: Platform, company: Company) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime.now(UTC)))
    found = await company.search(*lately())
    path = f"/access-history/searches/{found['id']}/csv"
    stranger = callers.administrator("999999999")
    assert (await company.get(path, stranger))[0] == 404
    assert (await company.search(*lately(), stranger, user_id=f"{company.code}000"))["records"] == 0
    viewer = callers.group_viewer((company.code, "999999999"))
    late = callers.administrator(company.code, stepped_up=False)
    for caller in (company.applicant(1), viewer, callers.operator(), late):
        assert (await company.get(path, caller))[0] == 403
        assert (await company.get("/access-history/user-ids", caller))[0] == 403
    async with company.client.get(f"{company.url}{path}") as response:
        assert response.status == 401


@pytest.mark.requirement("R251", "R252")
def test_above_five_megabytes_the_advice_is_given() -> None:
    assert sizes.advice(5 * 1024 * 1024) is None
    assert "5MBを超える" in str(sizes.advice(5 * 1024 * 1024 + 1))


@pytest.mark.requirement("R252")
async def test_a_large_search_is_advised_and_still_served(platform: Platform, audit: Runtime, company: Company) -> None:
    """The counters are what the advice is made from, so they are raised here instead of recording 50,000 rows."""
    await company.did((company.operator(), Operation.LOGIN, datetime.now(UTC)))
    async with platform.owner("audit") as database:
        await database.execute("update days set bytes = 5300000 where policyholder_code = $1", company.code)
    found = await company.search(*lately())
    assert "推奨します" in found["advice"]
    assert (await company.download(found)).count(b"\r\n") == 2


@pytest.mark.requirement("H2")
async def test_searches_and_exports_are_recorded_themselves(platform: Platform, company: Company) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime.now(UTC)))
    found = await company.search(*lately(), user_id=f"{company.code}000")
    await company.download(found)

    async def recorded() -> list[Any]:
        async with platform.owner("audit") as database:
            return await database.fetch(
                "select type, user_id, source_address, details from history"
                " where policyholder_code = $1 and operation is null order by performed_at",
                company.code,
            )

    await company.has(3)
    searched, exported = await eventually(recorded)
    assert (searched["type"], exported["type"]) == (HistorySearched.wire_type(), HistoryExported.wire_type())
    assert exported["user_id"] == f"{company.code}000"
    assert searched["source_address"] == exported["source_address"] == "203.0.113.7"
    assert (exported["details"]["records"], exported["details"]["target_user_id"]) == (1, f"{company.code}000")
