"""The table of make chaos: bar, what was done, what was found; on the screen and in .local/chaos.txt."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scale import CHAOS, SIZE

FILE = Path(__file__).parents[2] / ".local" / "chaos.txt"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Every report knows the bars of its test."""
    outcome: Any = yield
    bars = [bar for mark in item.iter_markers("requirement") for bar in mark.args if bar[1:2] == "-"]
    outcome.get_result().user_properties.append(("bars", " ".join(dict.fromkeys(bars))))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each test that was run, two when it told what it did."""
    if not CHAOS:
        return
    lines = [f"make chaos, size {SIZE:g}"]
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            if report.when == "call" or outcome != "passed":
                lines += _lines(outcome, report)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    terminalreporter.section("chaos")
    terminalreporter.write_line("\n".join([*lines, f"written to {FILE}"]))


def _lines(outcome: str, report: Any) -> Iterator[str]:
    told = dict(report.user_properties)
    yield f"{told.get('bars', ''):<12} {outcome:<8} {report.duration:>7.0f} s  {report.nodeid}"
    if "found" in told:
        yield f"{'':<32} {told['found']}"
