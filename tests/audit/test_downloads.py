"""A download is whole or visibly broken, keeps its order over many parts, and frees all when its client is gone."""

import asyncio
import csv
import io
from datetime import UTC, date, datetime, timedelta

import aiohttp
import pytest

from audit.api import streams
from audit.rules import parts
from audit.rules.parts import Part
from chassis.service import Runtime
from contracts.operations import Operation
from tests.audit.conftest import Company
from tests.support.eventually import eventually
from tests.support.platform import Platform

YEAR = timedelta(days=365)


@pytest.fixture
async def filled(audit: Runtime, company: Company) -> Company:
    """A policyholder with 6,000 rows over a year."""
    await fill(company, 6000)
    return company


async def fill(company: Company, rows: int) -> None:
    """Rows over a year, put in by SQL for the sake of the test's time."""
    async with company.platform.owner("audit") as database:
        await database.fetchval("select make_months((now() - interval '366 days')::date, now()::date)")
        await database.execute(
            """
            with taken as (
                update log set rows = rows + $2, blocks = blocks + 1 returning rows - $2 as before, blocks
            ),
            block as (insert into blocks select blocks, before + 1, $2::integer, now(), '\\x', '\\x' from taken),
            made as (
                select taken.before + n as number, gen_random_uuid() as id,
                       date_trunc('second', now())
                       - (n * 17 % 364) * interval '1 day' - (n % 5000) * interval '1 second' as at,
                       $1 || lpad((n * 7 % 30)::text, 3, '0') as user_id
                  from taken, generate_series(1, $2::integer) n
            ), counted as (
                insert into days (policyholder_code, user_id, day, records, bytes, letters)
                select $1, whose.id, (at at time zone 'Asia/Tokyo')::date, count(*), 100 * count(*), 60 * count(*)
                  from made, lateral (values (user_id), ('')) whose (id) group by 1, 2, 3
            )
            insert into history (number, id, performed_at, type, policyholder_code, user_id, name, department, title,
                                 operation, outcome, details)
            select number, id, at, 'identity.login_succeeded', $1, user_id, '日本　太郎', '見本事業部', '', '1-1',
                   'done', '{}'
              from made
            """,
            company.code, rows,
        )  # fmt: skip


def period() -> tuple[str, str]:
    """The whole year."""
    now = datetime.now(UTC) + timedelta(hours=9)
    return f"{now - YEAR:%Y-%m-%d}", f"{now:%Y-%m-%d}"


@pytest.mark.requirement("R309", "R311")
@pytest.mark.parametrize("form", ["by_user", "by_time"])
async def test_many_parts_are_one_file_in_order(filled: Company, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.groups, "__defaults__", (700,))
    monkeypatch.setattr(parts, "PART_RECORDS", 700)
    found = await filled.search(*period(), form=form)
    body = await filled.download(found)
    records = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))[1:]
    assert len(records) == found["records"] == 6000
    assert [record[:2] for record in records] == sorted(record[:2] for record in records)


@pytest.mark.requirement("H7")
async def test_a_file_that_would_lack_a_row_never_looks_whole(platform: Platform, filled: Company) -> None:
    """H7: a row that vanished after the search breaks the transfer."""
    found = await filled.search(*period())
    async with platform.owner("audit") as database:
        await database.execute(
            "delete from history where policyholder_code = $1 and number ="
            " (select min(number) from history where policyholder_code = $1)",
            filled.code,
        )
    with pytest.raises(aiohttp.ClientError):
        await filled.download(found)
    status, _ = await filled.get(f"/access-history/searches/{found['id']}/manifest")
    assert status == 409


@pytest.mark.requirement("H7")
async def test_a_failure_in_the_middle_breaks_the_transfer(filled: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.groups, "__defaults__", (700,))
    copied = streams.downloads.copy
    calls = 0

    async def fail(*arguments: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("the disk is gone")
        return await copied(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(streams.downloads, "copy", fail)
    found = await filled.search(*period(), form="by_time")
    with pytest.raises(aiohttp.ClientError):
        await filled.download(found)
    assert calls == 3


async def test_a_client_that_goes_away_frees_everything(platform: Platform, audit: Runtime, company: Company) -> None:
    await fill(company, 40_000)
    found = await company.search(*period())
    headers = platform.headers(company.administrator)
    for _ in range(8):  # twice as many as may run at once
        async with aiohttp.ClientSession() as session:
            response = await session.get(f"{company.url}/access-history/searches/{found['id']}/csv", headers=headers)
            await response.content.read(100)
            response.close()

    async def idle() -> bool:
        async with platform.owner("audit") as database:
            busy = await database.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() and query ilike '%copy (%'"
                " and state <> 'idle' and pid <> pg_backend_pid()"
            )
            return bool(busy == 0)

    await eventually(idle)
    body = await company.download(found)
    assert body.count(b"\r\n") == 40_001


@pytest.mark.requirement("H5")
async def test_what_is_recorded_during_a_download_neither_enters_nor_harms_it(
    platform: Platform, audit: Runtime, company: Company
) -> None:
    await fill(company, 20_000)
    found = await company.search(*period(), form="by_time")
    headers = platform.headers(company.administrator)
    async with company.client.get(
        f"{company.url}/access-history/searches/{found['id']}/csv", headers=headers
    ) as response:
        begin = await response.content.read(100)
        now = datetime.now(UTC)
        await company.did(
            *((company.operator(n % 30), Operation.LOGIN, now - n * timedelta(hours=7)) for n in range(100))
        )
        body = begin + await response.content.read()
    assert body.count(b"\r\n") - 1 == found["records"] == 20_000
    assert (await company.search(*period()))["records"] == 20_100


async def test_downloads_at_once_wait_for_their_turn(filled: Company) -> None:
    found = await filled.search(*period())
    bodies = await asyncio.gather(*(filled.download(found) for _ in range(6)))
    assert {len(body) for body in bodies} == {len(bodies[0])}


@pytest.mark.requirement("R250")
async def test_the_answer_names_the_file_and_says_how_much_comes(platform: Platform, company: Company) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime.now(UTC)))
    found = await company.search(*period())
    async with company.client.get(
        f"{company.url}/access-history/searches/{found['id']}/csv", headers=platform.headers(company.administrator)
    ) as response:
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert 'filename="access-history-' in response.headers["Content-Disposition"]
        assert "filename*=UTF-8''%E3%82%A2" in response.headers["Content-Disposition"]
        assert response.headers["Record-Count"] == "1"
        assert int(response.headers["Expected-Bytes"]) == found["bytes"]


def test_neighbours_are_grouped_and_large_ones_stay_alone() -> None:
    assert parts.groups([("a", 3), ("b", 4), ("c", 9), ("d", 1), ("e", 20), ("f", 1)], 10) == [
        ["a", "b"], ["c", "d"], ["e"], ["f"],
    ]  # fmt: skip
    first, last = date(2026, 1, 1), date(2026, 1, 3)
    assert parts.by_day(["u"], [(first, 1), (last, 2)]) == [Part(("u",), first, last)]
    assert parts.by_day(["u"], []) == []
