"""compose.yaml gives every service what it needs and no more: valid settings, own secrets, no way around the laws."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy import credentials
from deploy.local.catalogue import KNOWN
from deploy.local.state import ROOT
from tests.deploy import dockerfile, told

FILE = ROOT / "deploy" / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
BUILT = {name: one["build"]["args"]["SERVICE"] for name, one in CONTAINERS.items() if "args" in one.get("build", {})}
OWN = {file: content for group in credentials.groups("postgres", "rabbitmq") for file, content in group.items()}
OPERATORS = ("owner_database_url", "management_url", "nexi_url")
PLUGINS = ("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins", str(Path.home() / ".docker/cli-plugins"))


def secrets(container: str) -> dict[str, str]:
    """File name inside → content, of one container."""
    found = {}
    for one in CONTAINERS[container].get("secrets", []):
        source, target = (one, one) if isinstance(one, str) else (one["source"], one["target"])
        found[target] = OWN[source]
    return found


def test_every_service_is_there_with_a_release_before_it() -> None:
    behind = [name for name in KNOWN if name != "portal"]
    assert sorted(BUILT) == sorted([*KNOWN, *(f"{name}-release" for name in behind)])
    for name in behind:
        needed = CONTAINERS[name]["depends_on"]
        assert needed[f"{name}-release"]["condition"] == "service_completed_successfully"
        assert CONTAINERS[name]["environment"] == CONTAINERS[f"{name}-release"]["environment"]
        assert CONTAINERS[name]["build"] == CONTAINERS[f"{name}-release"]["build"]


@pytest.mark.parametrize("container", BUILT)
def test_its_settings_are_complete_valid_and_known(
    container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, environment, files = BUILT[container], CONTAINERS[container]["environment"], secrets(container)
    assert told.unknown(service, {*environment, *files}) == set()
    settings = told.settings(service, environment, files, tmp_path, monkeypatch)
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    for url in (content for name, content in files.items() if name.endswith(("database_url", "broker_url"))):
        assert urlsplit(url).username in (service, f"{service}_owner"), "own role, own broker user"
        assert urlsplit(url).hostname in CONTAINERS


@pytest.mark.parametrize("container", BUILT)
def test_only_a_release_has_the_rights_of_owners_and_operators(container: str) -> None:
    powerful = [name for name in secrets(container) if name.endswith(OPERATORS)]
    assert bool(powerful) is container.endswith("-release")


@pytest.mark.parametrize("container", [*BUILT, "mailcatcher"])
def test_what_is_ours_can_do_nothing_to_its_host(container: str) -> None:
    one = CONTAINERS[container]
    assert one["read_only"] and one["cap_drop"] == ["ALL"] and "no-new-privileges:true" in one["security_opt"]
    assert not {"privileged", "cap_add", "user", "pid", "network_mode"} & set(one)
    path = ROOT / one["build"]["dockerfile"]
    assert dockerfile.of(dockerfile.stages(path)[-1], "USER")[0].rest == "10001:10001"


def test_a_service_may_finish_what_it_does_before_it_is_killed() -> None:
    patience = {name: CONTAINERS[name]["stop_grace_period"] for name in KNOWN}
    assert all(int(seconds.removesuffix("s")) > 10 for seconds in patience.values()), patience


def test_only_people_s_pages_are_published_and_only_on_this_machine() -> None:
    published = {name: one["ports"] for name, one in CONTAINERS.items() if "ports" in one}
    assert set(published) == {"portal", "mailcatcher"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_a_front_end_does_not_reach_the_servers_and_a_release_reaches_nothing_else() -> None:
    assert COMPOSE["networks"]["servers"]["internal"]
    assert "servers" not in CONTAINERS["portal"]["networks"]
    assert all(one["networks"] == ["servers"] for name, one in CONTAINERS.items() if name.endswith("-release"))


def test_every_gateway_believes_the_portal_alone_about_addresses() -> None:
    own = CONTAINERS["portal"]["networks"]["gateways"]["ipv4_address"]
    for name in set(KNOWN) - {"portal"}:
        believed = CONTAINERS[name]["environment"][f"{name.upper()}_TRUSTED_PROXIES"]
        assert yaml.safe_load(believed) == [f"{own}/32"], name


def test_every_secret_is_a_file_that_is_made_and_never_committed() -> None:
    declared = {name: one["file"] for name, one in COMPOSE["secrets"].items()}
    assert declared == {name: f"secrets/{name}" for name in OWN if name != "identity.key"}, "it stays in its volume"
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    variables = [name for one in CONTAINERS.values() for name in one.get("environment", {})]
    assert not [name for name in variables if name.endswith(("_PASSWORD", "_SECRET", "DATABASE_URL", "BROKER_URL"))]


def test_nobody_waits_for_a_health_that_is_not_checked() -> None:
    for one in CONTAINERS.values():
        for needed, how in one.get("depends_on", {}).items():
            checked = CONTAINERS[needed].get("healthcheck") or needed in BUILT
            assert how["condition"] == "service_completed_successfully" or checked


def test_images_have_plain_names_and_servers_a_version() -> None:
    images = {one["image"] for one in CONTAINERS.values()}
    assert not [name for name in images if "/" in name], "no registry's name"
    assert all(":" in name for name in images if not name.startswith("nexi-web-"))


def test_compose_itself_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("docker-compose", path=os.pathsep.join([*PLUGINS, os.environ["PATH"]]))
    if program is None:
        pytest.skip("docker-compose 2 is not on this machine")
    if "v1" in subprocess.run([program, "version", "--short"], capture_output=True, text=True).stdout:
        pytest.skip("docker-compose 1 does not know this format")
    done = subprocess.run([program, "-f", str(FILE), "config", "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
