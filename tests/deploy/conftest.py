"""A state folder of the test's own, where the private servers' user may enter too."""

import secrets
import shutil
from collections.abc import Iterator

import pytest

from deploy.local import processes
from deploy.local.state import State, open_state


@pytest.fixture
def state() -> Iterator[State]:
    """An empty state that shares the fetched programs; what still runs in it at the end is killed."""
    whole = open_state()
    state = State(whole.folder / f"trial-{secrets.token_hex(4)}", whole.tools)
    yield state
    for process in processes.left_behind(state).values():
        process.stop(patience=0)
    shutil.rmtree(state.folder)
