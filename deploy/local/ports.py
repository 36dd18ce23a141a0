"""Which loopback ports the platform uses: those set in the environment, else free ones chosen once and remembered."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Mapping

import psutil

from deploy.local.refusals import Refusal
from deploy.local.state import State

LOOPBACK = "127.0.0.1"
CHOICE = range(20_000, 30_000)  # below the range from which the kernel lends ports to outgoing connections


class Ports:
    """The ports of one state; `port("identity")` is IDENTITY_PORT of the settings or the remembered one."""

    def __init__(self, state: State, settings: Mapping[str, str] = os.environ) -> None:
        self.state = state
        self.settings = settings

    def port(self, name: str) -> int:
        """The port of that name, free at this moment, or a refusal that says who holds it."""
        setting = f"{name.upper().replace('-', '_')}_PORT"
        if text := self.settings.get(setting):
            return checked(number(setting, text), name, f"set another one in {setting}")
        kept = self.state.remember("ports.json", name, lambda known: choose(taken=set(known.values())))
        return checked(int(kept), name, f"end that process, or set another one in {setting}")


def number(setting: str, text: str) -> int:
    """A port number written in a setting."""
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535:
        return int(text)
    raise Refusal(f"{setting} is {text!r}, but a port is a number from 1024 to 65535: correct the setting.")


def choose(taken: set[int], among: range = CHOICE) -> int:
    """A free port nobody of us has yet."""
    for candidate in random.sample(among, 200):
        if candidate not in taken and free(candidate):
            return candidate
    raise Refusal(f"No free port from {among.start} to {among.stop}: set the ports by hand, e.g. POSTGRES_PORT.")


def checked(port: int, name: str, remedy: str) -> int:
    """The same port, if it is free."""
    if free(port):
        return port
    raise Refusal(f"Port {port} for {name} is taken by {holder(port)}: {remedy}.")


def free(port: int) -> bool:
    """Whether a server could listen there now (old connections that linger do not count)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, as far as we may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return "another process"


def listening(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
