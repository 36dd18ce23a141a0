"""Ports are remembered, and a taken or wrong one is explained in one sentence."""

import os
import socket
from collections.abc import Iterator

import pytest

from deploy.local.ports import Ports
from deploy.local.refusals import Refusal
from deploy.local.state import State


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_is_chosen_once_and_remembered(state: State) -> None:
    first = Ports(state, settings={}).port("identity")
    assert Ports(state, settings={}).port("identity") == first
    assert Ports(state, settings={}).port("audit") != first


def test_a_setting_goes_first(state: State) -> None:
    chosen = Ports(state, settings={}).port("identity")
    assert Ports(state, settings={"AUDIT_2_PORT": str(chosen)}).port("audit-2") == chosen


def test_a_taken_port_is_refused_with_its_holder_and_a_way_out(state: State, taken: int) -> None:
    with pytest.raises(Refusal) as refused:
        Ports(state, settings={"IDENTITY_PORT": str(taken)}).port("identity")
    sentence = str(refused.value)
    assert f"Port {taken} for identity is taken by" in sentence
    assert f"(process {os.getpid()}): set another one in IDENTITY_PORT." in sentence


def test_a_remembered_port_that_was_taken_meanwhile_is_refused_too(state: State, taken: int) -> None:
    state.write("ports.json", {"identity": taken})
    with pytest.raises(Refusal, match="end that process, or set another one in IDENTITY_PORT"):
        Ports(state, settings={}).port("identity")


@pytest.mark.parametrize("wrong", ["http", "80", "65536", "-1", "２５０００", " 25000"])
def test_a_setting_that_is_no_port_is_refused_by_name(state: State, wrong: str) -> None:
    with pytest.raises(Refusal, match=r"IDENTITY_PORT is .* but a port is a number from 1024 to 65535"):
        Ports(state, settings={"IDENTITY_PORT": wrong}).port("identity")
