"""Every measurement can be started: what it borrows from the tests and the services is where it says."""

import importlib
from pathlib import Path

import pytest

import bench

MODULES = sorted(module.stem for module in Path(bench.__file__).parent.glob("*.py") if module.stem != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_a_measurement_can_be_started(name: str) -> None:
    module = importlib.import_module("bench" if name == "__init__" else f"bench.{name}")
    assert module.__doc__
