"""Three RabbitMQ nodes of a test's own, which hear each other only through proxies that can be silenced."""

import asyncio
import os
import shutil
import signal
import socket
import struct
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import permutations

import yaml

from deploy.local.ports import LOOPBACK, Ports, listening
from deploy.local.rabbitmq import Programs, RabbitMQ
from deploy.local.state import ROOT, State, open_state
from tests.faults.wires import through
from tests.support.proxy import Proxy

NAMES = ("one", "two", "three")
SHARED = ("rabbitmq", "rabbitmq-cookie")
DEPLOYED = ROOT / "deploy" / "kubernetes" / "servers" / "rabbitmq.yaml"
TICK_SECONDS = 6
"""A silent peer counts as gone after 3/4 to 5/4 of this; RabbitMQ's own 60 would outlast every partition here."""


class PortsOf(Ports):
    """One node's ports, different from those of its peers."""

    def __init__(self, state: State, node: str) -> None:
        super().__init__(state, settings={})
        self.node = node

    def port(self, name: str) -> int:
        """As usual, under the node's name."""
        return super().port(f"{self.node}-{name}")


class Node(RabbitMQ):
    """One of several; its own name server sends it to the others by way of `wires`, a port for each name."""

    def __init__(self, state: State, ports: PortsOf) -> None:
        super().__init__(state, ports)
        self.name = ports.node
        self.wires: Mapping[str, int] = {}
        self._introductions: list[socket.socket] = []

    def configure(self, programs: Programs) -> dict[str, str]:
        """As usual, but under a name of its own."""
        return super().configure(programs) | {"RABBITMQ_NODENAME": f"{self.name}@localhost"}

    def advanced_configuration(self) -> str:
        """Streams replicate past the wires, on ports that nobody else uses."""
        return "[{osiris, [{port_range, {30000, 32000}}]}].\n"

    def configuration(self) -> str:
        """As usual, with the peers, and what the deployed cluster is told about partitions and leaders."""
        peers = (f"cluster_formation.classic_config.nodes.{name} = {name}@localhost" for name in NAMES)
        deployed = yaml.safe_load(DEPLOYED.read_text())["spec"]["rabbitmq"]["additionalConfig"].splitlines()
        wanted = (line for line in deployed if line.startswith(("cluster_", "queue_")))
        return "\n".join([super().configuration(), *peers, *wanted, f"net_ticktime = {TICK_SECONDS}", ""])

    def start_epmd(self, programs: Programs, environment: dict[str, str]) -> None:
        """Start the name server, and tell it of the others before the node asks."""
        super().start_epmd(programs, environment)
        while not listening(self.epmd_port):
            assert self.epmd is not None
            assert self.epmd.alive()
            time.sleep(0.02)
        self._introductions = [introduced(self.epmd_port, name, port) for name, port in self.wires.items()]

    def kill(self) -> None:
        """End at once; the data will go."""
        for process in (self.process, self.epmd):
            if process is not None:
                process.stop(signal.SIGKILL)
        for introduction in self._introductions:
            introduction.close()


def introduced(epmd_port: int, name: str, port: int) -> socket.socket:
    """Register a node at Erlang's name server (ALIVE2_REQ); it is known until the socket is closed."""
    link = socket.create_connection((LOOPBACK, epmd_port), timeout=5)
    request = struct.pack(">BHBBHHH", 120, port, 77, 0, 6, 5, len(name)) + name.encode() + b"\0\0"
    link.sendall(struct.pack(">H", len(request)) + request)
    answer = link.recv(6)
    assert answer[1] == 0, f"epmd does not take {name}: {answer!r}"
    return link


class Nodes:
    """The three; whoever comes in by the front is with the first of them that takes connections, as by a balancer."""

    def __init__(self, state: State) -> None:
        self.state = state
        secrets = {secret: state.secret(secret) for secret in SHARED}
        self.nodes: dict[str, Node] = {}
        for name in NAMES:
            own = state.part(name)
            own.write("secrets.json", secrets)
            self.nodes[name] = Node(own, PortsOf(state, name))
        self.wires = {(a, b): Proxy(LOOPBACK, self.nodes[b].peer_port) for a, b in permutations(NAMES, 2)}
        self.front = Proxy(LOOPBACK, *(node.port for node in self.nodes.values()))

    @property
    def url(self) -> str:
        """amqp://... of the operator at the front, without a virtual host."""
        return through(self.front, self.nodes[NAMES[0]].url)

    @property
    def management_url(self) -> str:
        """The management API of the first node."""
        return self.nodes[NAMES[0]].management_url

    def closed(self) -> set[str]:
        """The nodes that take no connections now: those that pause."""
        return {name for name, node in self.nodes.items() if not listening(node.port)}

    @contextmanager
    def apart(self, pairs: Collection[frozenset[str]]) -> Iterator[None]:
        """Between these pairs nothing passes while inside; their connections stay open, as when packets are dropped."""
        cut = [wire for ends, wire in self.wires.items() if frozenset(ends) in pairs]
        for wire in cut:
            wire.freeze()
        try:
            yield
        finally:
            for wire in cut:
                wire.thaw()

    async def start(self) -> None:
        """All three, and they know each other."""
        for name, node in self.nodes.items():
            node.wires = {there: wire.port for (here, there), wire in self.wires.items() if here == name}
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nodes.values()))

    async def stop(self) -> None:
        """All end at once, and their data go."""
        for node in self.nodes.values():
            await asyncio.to_thread(node.kill)
        await asyncio.to_thread(shutil.rmtree, self.state.folder, ignore_errors=True)


@asynccontextmanager
async def three_nodes() -> AsyncIterator[Nodes]:
    """A cluster on fresh data while inside."""
    nodes = Nodes(open_state().part(f"nodes-{os.getpid()}"))
    async with AsyncExitStack() as stack:
        for proxy in (nodes.front, *nodes.wires.values()):
            await stack.enter_async_context(proxy.serving())
        stack.push_async_callback(nodes.stop)
        await nodes.start()
        yield nodes
