"""Whatever is missing or wrong on a machine is said in one sentence that tells what to do."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import catalogue, debian, postgres, preparation, rabbitmq, servers
from deploy.local.__main__ import main
from deploy.local.cluster import Cluster
from deploy.local.databases import with_login
from deploy.local.processes import Process, birth
from deploy.local.refusals import Refusal
from deploy.local.servers import Addresses
from deploy.local.state import ROOT, State


@pytest.fixture
def launcher(state: State, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`python -m deploy.local …` in the test's own state."""
    monkeypatch.setenv("PLATFORM_STATE", str(state.folder))
    return lambda *arguments: main(list(arguments))


def test_a_second_run_of_the_same_state_is_refused(
    state: State, launcher: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with state.lock():
        assert launcher("run") == 1
    told = capsys.readouterr().err
    assert told.startswith("The platform of this checkout is already running: stop it with `make stop`")
    assert told.count("\n") == 1


def test_a_running_platform_is_not_emptied(state: State, launcher: Callable[..., int]) -> None:
    with state.lock():
        assert launcher("reset") == 1


@pytest.mark.parametrize("command", ["status", "restart identity", "kill identity", "operate identity openapi"])
def test_a_command_for_a_running_platform_says_that_there_is_none(
    command: str, launcher: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher(*command.split()) == 1
    assert "is not running: start it with `make run`." in "".join(capsys.readouterr())


def test_a_platform_that_is_still_starting_can_be_stopped(state: State, launcher: Callable[..., int]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as starting:
        process = Process(starting.pid, birth(starting.pid) or "")
        state.write("launcher.json", process.written())
        assert launcher("stop") == 0
        assert not process.alive()


@pytest.mark.parametrize("wrong", ["audit", "audit=", "audit=0", "audit=17", "audit=two", "audit=２"])
def test_a_wrong_number_of_processes_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "present", lambda: ["audit"])
    with pytest.raises(Refusal, match="write a service and a number from 1 to 16, like audit=2"):
        catalogue.process_names(["audit"], [wrong])


def test_a_name_that_is_no_service_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "present", lambda: ["identity", "audit"])
    with pytest.raises(Refusal, match="'billing' is no service of this checkout: name one of identity, audit"):
        catalogue.chosen("identity,billing")
    assert catalogue.process_names(catalogue.chosen("audit"), ["audit=2"]) == [("audit", "audit"), ("audit-2", "audit")]


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match=r"because apt-get is missing: install it, or .*RABBITMQ_HOME.*RABBITMQ_URL"):
        debian.unpack(tmp_path / "rabbitmq")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="only Debian has apt-get")
def test_package_sources_that_cannot_be_reached_are_named_and_nothing_half_made_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "apt.conf"
    closed = "http://127.0.0.1:1"
    nowhere.write_text(f'Acquire::Retries "0";\nAcquire::http::Proxy "{closed}";\nAcquire::https::Proxy "{closed}";\n')
    monkeypatch.setenv("APT_CONFIG", str(nowhere))
    with pytest.raises(Refusal, match="check that this machine reaches its package sources"):
        debian.unpack(tmp_path / "rabbitmq")
    assert [path.name for path in tmp_path.iterdir()] == ["apt.conf"]


@pytest.mark.parametrize("setting", ["POSTGRES_BIN", "RABBITMQ_HOME"])
def test_a_folder_without_the_programs_is_refused_by_its_setting(
    state: State, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, "/nowhere")
    find = postgres.find_binaries if setting == "POSTGRES_BIN" else rabbitmq.find_programs
    with pytest.raises(Refusal, match=f"{setting} is /nowhere, but .*: correct"):
        find(state)


@pytest.mark.parametrize("wrong", ["", "127.0.0.1:5432", "http://127.0.0.1/", "postgresql://"])
def test_a_setting_that_is_no_url_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(Refusal, match="POSTGRES_URL is not a URL like postgresql://user:password@"):
        servers.checked("POSTGRES_URL", wrong, ("postgresql",))


def test_a_server_that_refuses_us_is_told_by_its_setting(state: State, cluster: Cluster) -> None:
    wrong = with_login(cluster.postgres_url, "postgres", "wrong")
    with pytest.raises(Refusal, match=r"refuses us .*: check POSTGRES_URL"):
        preparation.prepare_databases(state, Addresses(wrong, cluster.broker_url, cluster.management_url), ["audit"])


def test_a_full_disk_is_noticed_before_anything_starts(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.state.ROOM_NEEDED", 10**18)
    with pytest.raises(Refusal, match="has less than 500 MB free: make room"):
        state.check_room()


def test_a_damaged_file_is_named(state: State) -> None:
    (state.folder / "ports.json").write_text("{")
    with pytest.raises(Refusal, match=r"ports\.json is damaged: delete it, or start anew with `make reset`"):
        state.read("ports.json")


def test_a_machine_without_a_fit_python_is_told_which_one_to_install(tmp_path: Path) -> None:
    for tool in ("dirname", "id"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    answer = subprocess.run(
        ["/bin/sh", ROOT / "deploy/local/bootstrap.sh"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("Python 3.11 or newer is needed: install it (Debian: apt-get install python3")
