"""An operator's terminal: a command of the notifier as it is typed, and the lines that it printed."""

import argparse
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from notifier.service import service
from notifier.settings import Settings
from tests.notifier.wishes import Wishes

Command = Callable[..., Awaitable[int]]
"""`await command("search", "--number", …)` as on the command line; answers the exit status."""


def typed(wishes: Wishes, define: Callable[[argparse.ArgumentParser], Callable[..., Awaitable[int | None]]]) -> Command:
    """The command that `define` defines, at the running service."""

    async def run(*words: object) -> int:
        parser = argparse.ArgumentParser()
        work = define(parser)
        settings = wishes.runtime.provides[service.settings]
        assert isinstance(settings, Settings)
        return await work(settings, parser.parse_args([str(word) for word in words])) or 0

    return run


def printed(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """The objects that a command has printed; services of this worker may log between them."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
