"""Operators can see gaps, follow what is recorded, and archive only what no search can reach any more."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.service import Runtime
from contracts.identity import LoggedOut
from tests.audit.conftest import Company
from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]


async def command(platform: Platform, *arguments: str) -> tuple[int, str, str]:
    """`python -m audit …` as an operator runs it; status, output, complaints."""
    settings = platform.settings("audit").model_dump(exclude_none=True)
    given = {f"AUDIT_{name.upper()}": str(value) for name, value in settings.items()}
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


async def test_the_tail_shows_what_was_recorded(platform: Platform, company: Company) -> None:
    await platform.say("identity", LoggedOut(operator=company.operator()))
    await company.has(1)
    status, out, error = await command(platform, "tail", "--after", "0", "--view", "trail", "--no-follow")
    assert status == 0, error
    assert company.code in {one["actor"]["user"]["org"]["uid"] for one in objects(out)}


@pytest.mark.requirement("R244")
async def test_a_month_that_a_search_can_reach_is_not_archived(
    platform: Platform, audit: Runtime, tmp_path: Path
) -> None:
    status, _, error = await command(platform, "archive", "--before", "2999-01", "--to", str(tmp_path))
    assert status == 1
    assert error.startswith("Searches reach back to ")
    assert (await command(platform, "archive", "--before", "2017-01", "--to", str(tmp_path), "--dry-run"))[0] == 0
    assert list(tmp_path.iterdir()) == []
