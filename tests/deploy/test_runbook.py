"""What docs/operations.md tells an operator to type exists, with these words and options."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.command_line import build_parser
from deploy.local import __main__ as launcher
from deploy.local.processes import Process, birth
from deploy.local.run import FILE
from deploy.local.state import ROOT, State
from deploy.local.surroundings import common
from tests.support.platform import services

PAGE = (ROOT / "docs" / "operations.md").read_text().replace("\\\n", "")
PLACEHOLDERS = {"ID": "01900000-0000-7000-8000-000000000000", "…": "1", "FOLDER": "."}


def told(pattern: str) -> list[list[str]]:
    """The words after each place where the page writes this, comments and placeholders resolved."""
    lines = re.findall(rf"(?m)(?:^|`){pattern} ([^`\n]+)", PAGE)
    return [[PLACEHOLDERS.get(word, word) for word in shlex.split(line, comments=True)] for line in lines]


def parsed(parser: argparse.ArgumentParser, words: list[str]) -> None:
    try:
        parser.parse_args(words)
    except SystemExit as ended:
        assert ended.code == 0, f"{' '.join(words)} is wrong"


@pytest.mark.parametrize("words", told("operate"), ids=" ".join)
def test_a_service_knows_the_command(words: list[str]) -> None:
    service, *arguments = words
    parsed(build_parser(services()[service]), arguments)


@pytest.mark.parametrize("words", told("python -m deploy.local"), ids=" ".join)
def test_the_launcher_knows_the_command(words: list[str]) -> None:
    parsed(launcher.parser(), [word for word in words if word != "1"])


def test_a_commands_files_are_those_of_the_callers_folder(state: State, tmp_path: Path) -> None:
    here = Process(os.getpid(), birth(os.getpid()) or "")
    told = dict.fromkeys(("DATABASE_URL", "BROKER_URL", "PARTNER_BROKER_URL", "IDENTITY_KEYS_URL"), "none")
    environment = common() | {f"NOTIFIER_{name}": value for name, value in told.items()}
    services = {"notifier": {"environment": environment | {"NOTIFIER_STATE": str(tmp_path)}}}
    state.write(FILE, {"supervisor": here.written(), "services": services})
    words = ["-m", "deploy.local", "operate", "notifier", "preview", "letter", "--to", "sample.pdf"]
    paths = {"PYTHONPATH": str(ROOT), "PLATFORM_STATE": str(state.folder)}
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=paths, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{tmp_path / 'sample.pdf'}\n", "")
    assert (tmp_path / "sample.pdf").is_file()


@pytest.mark.parametrize("program", ["verify", "verify-csv"])
def test_the_verifiers_explain_themselves(program: str) -> None:
    path = {"PYTHONPATH": f"{ROOT}/services:{ROOT}/shared"}
    done = subprocess.run([sys.executable, "-m", "audit", program, "--help"], env=path, capture_output=True, text=True)
    assert done.returncode == 0 and f"python -m audit {program}" in PAGE


def test_every_make_target_on_the_page_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"`make ([a-z]+)", PAGE)) <= targets


def unexplained(parser: argparse.ArgumentParser, path: str) -> list[str]:
    """Commands and arguments without a word of help."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {one.dest: one.help for one in action._choices_actions}
            for name, command in action.choices.items():
                found += [] if told.get(name) else [f"{path} {name}"]
                found += unexplained(command, f"{path} {name}")
        elif not action.help:
            found.append(f"{path} {'/'.join(action.option_strings) or action.dest}")
    return found


@pytest.mark.parametrize("name", services())
def test_every_command_of_a_service_explains_all_its_arguments(name: str) -> None:
    assert unexplained(build_parser(services()[name]), name) == []


def test_the_launcher_explains_all_its_arguments() -> None:
    assert unexplained(launcher.parser(), "deploy.local") == []
