"""Operators can see gaps, follow what is recorded, and archive only what no search can reach any more."""

import asyncio
import gzip
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit import archives
from audit.rules.windows import first_reachable, japanese_day
from audit.store import sequences, verification
from chassis.service import Runtime
from contracts.audit import OperatorActed
from contracts.identity import LoggedOut
from contracts.operations import Operation
from tests.audit.conftest import Company, rows
from tests.support.environments import as_environment
from tests.support.eventually import eventually
from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]


async def command(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """`python -m audit …` as an operator runs it; status, output, complaints."""
    given = as_environment(platform.settings("audit"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "audit", *arguments, cwd=ROOT, env={"PYTHONPATH": "services:shared", **given},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await process.communicate()
    return process.returncode or 0, out.decode(), error.decode()


def objects(text: str) -> list[dict[str, Any]]:
    """One JSON object a line."""
    return [json.loads(line) for line in text.splitlines()]


async def test_gaps_are_listed_and_only_existing_ones_explained(platform: Platform, audit: Runtime) -> None:
    status, out, _ = await command(platform, "gaps", "producers")
    assert status == 0
    assert all({"producer", "last"} <= one.keys() for one in objects(out))
    status, _, error = await command(platform, "gaps", "explain", "999999", "because")
    assert (status, error.strip()) == (1, "There is no open gap 999999.")
    assert (await command(platform, "gaps", "explain", "1"))[0] == 2
    async with platform.owner("audit") as database, database.transaction() as tx:
        await sequences.announced(tx, {"nobody": 1})
        await sequences.look(tx)
        (number,) = [gap["number"] for gap in await sequences.open_gaps(tx) if gap["producer"] == "nobody"]
    async with platform.hears(OperatorActed) as spy:
        await command(platform, "gaps", "explain", str(number), "a test took it", "--by", "hanako")
        said = await spy.next(command="gaps explain", about=f"{number}: a test took it")
    assert said["data"]["operator"]["user_id"] == "operator:hanako"


async def test_the_tail_shows_what_was_recorded(platform: Platform, company: Company) -> None:
    await platform.say("identity", LoggedOut(operator=company.operator()))
    await company.has(1)
    status, out, error = await command(platform, "tail", "--after", "0", "--view", "trail", "--no-follow")
    assert status == 0, error
    assert company.code in {one["actor"]["user"]["org"]["uid"] for one in objects(out)}


async def months(platform: Platform) -> set[str]:
    """The monthly partitions."""
    async with platform.owner("audit") as database, database.acquire() as connection:
        return {row["month"] for row in await verification.months(connection)}


async def test_the_coming_three_months_are_ready(platform: Platform, audit: Runtime) -> None:
    today = japanese_day(datetime.now(UTC))
    wanted = {f"{today.year + (today.month + ahead - 1) // 12}_{(today.month + ahead - 1) % 12 + 1:02d}"
              for ahead in range(-12, 4)}  # fmt: skip

    async def ready() -> bool:
        return wanted <= await months(platform)

    await eventually(ready)


async def test_an_old_month_is_moved_into_a_file_and_its_late_events_find_a_new_one(
    platform: Platform, company: Company, tmp_path: Path
) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime(2017, 5, 3, tzinfo=UTC)))
    async with platform.hears(OperatorActed) as spy:
        status, out, error = await command(
            platform, "archive", "--before", "2017-06", "--to", str(tmp_path), "--by", "hanako"
        )
        said = await spy.next(command="archive", about=f"history_2017_05: {objects(out)[-1]['sha256']}")
    assert said["data"]["operator"]["user_id"] == "operator:hanako"
    assert status == 0, error
    (moved,) = [one for one in objects(out) if one["month"] == "history_2017_05"]
    with gzip.open(moved["file"], "rb") as file:
        text = file.read()
    assert (moved["sha256"], moved["rows"]) == (hashlib.sha256(text).hexdigest(), text.count(b"\n"))
    assert company.code.encode() in text
    assert await rows(platform, company.code) == []
    assert "2017_05" not in await months(platform)
    await company.did((company.operator(), Operation.LOGIN, datetime(2017, 5, 4, tzinfo=UTC)))
    assert "2017_05" in await months(platform)
    status, out, error = await command(platform, "archive", "--before", "2017-06", "--to", str(tmp_path))
    assert status == 0, error
    (moved,) = [one for one in objects(out) if one["month"] == "history_2017_05"]
    assert (moved["file"], moved["rows"]) == (str(tmp_path / "history_2017_05.2.copy.gz"), 1)


def while_copied(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Awaitable[None]]) -> None:
    """Let something happen when a month's rows were read, before its file is whole."""
    copied = verification.month_lines

    async def interrupted(connection: Any, name: str) -> AsyncIterator[tuple[int, bytes]]:
        async for page in copied(connection, name):
            yield page
        await deed()

    monkeypatch.setattr(verification, "month_lines", interrupted)


async def test_an_event_that_comes_while_its_month_is_archived_stays(
    platform: Platform, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def come() -> None:
        await company.did((company.operator(), Operation.BUYER_BOOKMARK, datetime(2017, 7, 5, tzinfo=UTC)))

    await company.did((company.operator(), Operation.BUYER_BOOKMARK, datetime(2017, 7, 3, tzinfo=UTC)))
    while_copied(monkeypatch, come)
    async with platform.owner("audit") as database:
        with pytest.raises(archives.Postponed):
            await archives.archive_month(database, "history_2017_07", tmp_path, company.operator())
    assert len(await rows(platform, company.code)) == 2
    assert list(tmp_path.iterdir()) == []


async def test_of_a_month_that_could_not_be_copied_whole_no_file_stays(
    platform: Platform, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off() -> None:
        raise ConnectionError

    await company.did((company.operator(), Operation.BUYER_BOOKMARK, datetime(2017, 10, 3, tzinfo=UTC)))
    while_copied(monkeypatch, break_off)
    async with platform.owner("audit") as database:
        with pytest.raises(ConnectionError):
            await archives.archive_month(database, "history_2017_10", tmp_path, company.operator())
    assert list(tmp_path.iterdir()) == []
    assert "2017_10" in await months(platform)


async def test_a_month_is_not_archived_behind_a_slow_download_and_nobody_waits_for_it(
    platform: Platform, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(archives, "TRIES", 2)
    await company.did((company.operator(), Operation.BUYER_BOOKMARK, datetime(2017, 9, 3, tzinfo=UTC)))
    reading = await asyncpg.connect(platform.database("audit"))
    try:
        async with platform.owner("audit") as archiving, reading.transaction():
            await reading.fetchval("select count(*) from history where performed_at < '2017-01-01'")
            with pytest.raises(archives.Postponed):
                await archives.archive_month(archiving, "history_2017_09", tmp_path, company.operator())
            await company.did((company.operator(), Operation.BUYER_BOOKMARK, datetime(2017, 9, 4, tzinfo=UTC)))
            assert list(tmp_path.iterdir()) == []
        async with platform.owner("audit") as archiving:
            await archives.archive_month(archiving, "history_2017_09", tmp_path, company.operator())
    finally:
        await reading.close()
    left = await rows(platform, company.code)  # who archived is recorded too, sooner or later
    assert [row for row in left if row["operation"] is not None] == []


def test_what_a_search_of_a_week_ago_may_still_download_is_not_archived() -> None:
    assert first_reachable(datetime(2026, 11, 6, tzinfo=UTC)) == date(2025, 10, 30)


@pytest.mark.requirement("R244")
async def test_a_month_that_a_search_can_reach_is_not_archived(
    platform: Platform, audit: Runtime, tmp_path: Path
) -> None:
    status, _, error = await command(platform, "archive", "--before", "2999-01", "--to", str(tmp_path))
    assert status == 1
    assert error.startswith("Searches reach back to ")
    assert (await command(platform, "archive", "--before", "2017-01", "--to", str(tmp_path), "--dry-run"))[0] == 0
    assert list(tmp_path.iterdir()) == []


async def test_what_cannot_be_written_is_refused_in_a_line_before_anything_is_done(
    platform: Platform, company: Company, tmp_path: Path
) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime(2016, 8, 3, tzinfo=UTC)))
    nowhere, there = tmp_path / "nowhere", tmp_path / "there"
    there.write_text("an earlier dump")
    for arguments, status, line in (
        (("archive", "--before", "2016-09", "--to", str(nowhere)), 2, f"argument --to: there is no folder {nowhere}"),
        (("archive", "--before", "2016-09", "--to", str(there)), 2, f"argument --to: there is no folder {there}"),
        (("dump", str(nowhere / "log.dump")), 2, f"argument file: there is no folder {nowhere}"),
        (("dump", str(tmp_path)), 2, f"argument file: {tmp_path} is a folder"),
        (("dump", str(there)), 1, f"file: {there} is there already"),
    ):
        ended, out, error = await command(platform, *arguments)
        assert (ended, out) == (status, ""), error
        assert line in error.splitlines()[-1]
    assert there.read_text() == "an earlier dump"
    assert "2016_08" in await months(platform)


async def test_only_months_before_the_named_one_are_archived_and_it_must_be_a_month(
    platform: Platform, company: Company, tmp_path: Path
) -> None:
    await company.did((company.operator(), Operation.LOGIN, datetime(2016, 5, 3, tzinfo=UTC)))
    for before, found in (("2016-05", False), ("2016-06", True)):
        status, out, _ = await command(platform, "archive", "--before", before, "--to", str(tmp_path), "--dry-run")
        assert (status, "history_2016_05" in out) == (0, found)
    for before in ("2016-6", "2016", "2016-13", "May"):
        status, out, _ = await command(platform, "archive", "--before", before, "--to", str(tmp_path), "--dry-run")
        assert (status, out) == (2, ""), before
