"""What is installed is pinned with hashes, names no registry, and is the same for a service as for the whole house."""

import re
from pathlib import Path

import pytest

from deploy.local.state import ROOT

HOUSE = ROOT / "requirements.txt"
FILES = [HOUSE, *sorted(ROOT.glob("deploy/requirements/*.txt")), *sorted(ROOT.glob("services/*/requirements.txt"))]
IMAGES = [path for path in FILES[1:] if path.name != "uv.txt"]


def pins(path: Path) -> dict[str, str]:
    """Package → version and hashes; the platforms it is for depend on who asks for it."""
    lines = path.read_text().replace("\\\n", "").splitlines()
    entries = [" ".join(re.sub(r" ;.*?(?= --hash)", "", line).split()) for line in lines if "==" in line]
    return {entry.split("==")[0]: entry for entry in entries}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_has_hashes_and_no_registry_is_named(path: Path) -> None:
    assert pins(path)
    assert all("--hash=sha256:" in entry for entry in pins(path).values())
    assert not re.search(r"://|index|find-links", re.sub(r"(?m)^[a-z0-9-]+==", "", path.read_text()))


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_image_is_installed_from_what_the_house_was_tested_with(path: Path) -> None:
    house = pins(HOUSE)
    assert {name: entry for name, entry in pins(path).items() if house.get(name) != entry} == {}
