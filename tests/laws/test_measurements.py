"""Every measurement can be started: what it borrows from the tests and the services is where it says."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench import __main__ as make_bench

MODULES = sorted(module.stem for module in Path(bench.__file__).parent.glob("*.py") if module.stem != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_a_measurement_can_be_started(name: str) -> None:
    module = importlib.import_module("bench" if name == "__init__" else f"bench.{name}")
    assert module.__doc__


@pytest.mark.parametrize("status", [1, -9])
def test_one_that_fails_or_is_killed_is_no_success(
    status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, status if "bench.relay" in command else 0, stdout="")

    monkeypatch.setattr(make_bench, "KEPT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "relay", "pages"])
    monkeypatch.setattr(subprocess, "run", ended)
    assert make_bench.main() == abs(status)
