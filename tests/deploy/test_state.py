"""What a platform remembers is made once, kept private, and whole even when many ask at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.local.ports import Ports
from deploy.local.state import State, open_state


def test_many_at_once_get_ports_and_passwords_of_their_own(state: State) -> None:
    ports = Ports(state, settings={})
    names = [f"process-{number}" for number in range(16)] * 2
    with ThreadPoolExecutor(8) as pool:
        given = dict(zip(names, pool.map(ports.port, names), strict=True))
        secrets = dict(zip(names, pool.map(state.secret, names), strict=True))
    assert len(set(given.values())) == len(set(secrets.values())) == 16
    assert state.read("ports.json") == given and state.read("secrets.json") == secrets


def test_the_folder_can_be_named(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_STATE", str(state.folder))
    assert open_state().folder == state.folder
