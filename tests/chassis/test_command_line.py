"""Commands that are recorded know who gives them."""

import argparse
import getpass

import pytest

from chassis.command_line import ask_who


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
