"""Commands that are recorded know who gives them, and all of them explain in a line why they cannot begin."""

import argparse
import getpass
import os
import subprocess
import sys

import pytest

from chassis.command_line import ask_who, build_parser
from chassis.readers import LEFT
from tests.support.platform import NAMES, Platform, services
from tests.support.processes import ROOT, environment, run


def asked(*arguments: str) -> str:
    """Who gives a command with these arguments."""
    parser = argparse.ArgumentParser()
    ask_who(parser)
    return str(parser.parse_args(arguments).by)


def test_who_gives_a_command_is_said_or_is_the_user_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "suzuki")
    assert (asked(), asked("--by", "yamada")) == ("suzuki", "yamada")


def test_who_gives_a_command_must_be_said_where_users_have_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert asked("--by", "yamada") == "yamada"
    with pytest.raises(SystemExit):
        asked()


@pytest.mark.parametrize("name", NAMES)
def test_every_service_can_say_who_gave_a_command_that_all_services_have(name: str) -> None:
    deed = services()[name].deed
    assert deed is not None
    said = deed("hanako", "parked discard", "3 4").model_dump_json()
    assert all(word in said for word in ("operator:hanako", "parked discard", "3 4"))


@pytest.mark.parametrize(
    "command",
    [
        "audit parked list --limit {}", "audit parked list --after {}", "audit parked show {}",
        "audit parked replay {}", "audit parked discard {}", "audit gaps explain {} because", "audit tail --after {}",
        "notifier mails search --limit {}",
    ],
)  # fmt: skip
def test_a_number_that_the_database_does_not_take_is_wrong_usage(command: str) -> None:
    service, *words = command.split()
    parser = build_parser(services()[service])
    parser.parse_args([word.format(2**63 - 1) for word in words])
    for wrong in ("-1", 2**63, "9" * 5000, "0" * 20 + "9" * 20, "１", "1.0", "x"):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([word.format(wrong) for word in words])
        assert ended.value.code == 2


@pytest.mark.parametrize("command", ["serve", "migrate", "user show 100000001000"])
async def test_a_database_that_cannot_be_reached_is_named_in_a_line_without_its_password(
    platform: Platform, command: str
) -> None:
    nowhere = "postgresql://identity:s3cret-word@127.0.0.1:1/identity"
    told = {"database_url": nowhere, "owner_database_url": nowhere}
    status, said, complaint = await run(platform, "identity", *command.split(), **told)
    assert (status, said) == (1, "")
    assert complaint.startswith("The database 127.0.0.1:1/identity cannot be reached: ")
    assert (complaint.count("\n"), "s3cret-word" in complaint) == (1, False)


@pytest.mark.parametrize("command", ["identity openapi", "audit verify --help", "deploy.local status"])
def test_a_command_whose_reader_has_left_ends_quietly(platform: Platform, command: str) -> None:
    own = {"PLATFORM_STATE": str(platform.folder / "stopped"), "PYTHONUNBUFFERED": ""}
    told = environment(platform.settings("identity")) | own
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT, env=told, stdout=write, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (LEFT, "")
