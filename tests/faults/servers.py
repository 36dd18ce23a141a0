"""A PostgreSQL and a RabbitMQ of a test's own, to be killed, frozen and filled up."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.cluster import Cluster
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres
from deploy.local.processes import Process, birth
from deploy.local.rabbitmq import RabbitMQ, find_programs
from deploy.local.state import open_state


class OwnServers:
    """What one test may do anything to."""

    def __init__(self, name: str) -> None:
        self.state = open_state().part(name)
        self.ports = Ports(self.state, settings={})
        self.postgres = Postgres(self.state, self.ports.port("postgres"))
        self.rabbitmq: RabbitMQ | None = None

    async def start(self, *, broker: bool) -> None:
        """PostgreSQL, and the broker too if it is wanted."""
        work = [asyncio.to_thread(self.postgres.start)]
        if broker:
            self.rabbitmq = RabbitMQ(self.state, self.ports)
            work.append(asyncio.to_thread(self.rabbitmq.start))
        await asyncio.gather(*work)

    def cluster(self, shared: Cluster | None = None) -> Cluster:
        """Our servers; without a broker of our own with the shared one."""
        if self.rabbitmq is not None:
            return Cluster(self.postgres.url, self.rabbitmq.url, self.rabbitmq.management_url)
        assert shared is not None
        return Cluster(self.postgres.url, shared.broker_url, shared.management_url)

    def backends(self) -> Iterator[Process]:
        """The server and all of its children."""
        assert self.postgres.process is not None
        yield self.postgres.process
        children = Path(f"/proc/{self.postgres.process.pid}/task/{self.postgres.process.pid}/children")
        for pid in map(int, children.read_text().split()):
            if born := birth(pid):
                yield Process(pid, born)

    def freeze(self) -> None:
        """PostgreSQL stands still; its connections stay open."""
        for process in self.backends():
            process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        for process in self.backends():
            process.send(signal.SIGCONT)

    async def kill_postgres(self) -> None:
        """SIGKILL to the server, as the kernel's memory killer would; its children notice and end."""
        assert self.postgres.process is not None
        everyone = list(self.backends())
        self.postgres.process.send(signal.SIGKILL)
        for process in everyone:
            await asyncio.to_thread(process.ended, 10.0)

    async def kill_broker(self) -> None:
        """SIGKILL to the node."""
        assert self.rabbitmq is not None
        assert self.rabbitmq.process is not None
        self.rabbitmq.process.send(signal.SIGKILL)
        await asyncio.to_thread(self.rabbitmq.process.ended, 10.0)
        if self.rabbitmq.epmd:
            await asyncio.to_thread(self.rabbitmq.epmd.stop)

    async def block_broker(self, blocked: bool) -> None:
        """Publishers are held back, as when the disk of the broker is nearly full; or no longer."""
        assert self.rabbitmq is not None
        programs = find_programs(self.state)
        control = await asyncio.create_subprocess_exec(
            programs.home / "sbin" / "rabbitmqctl", "set_disk_free_limit", "1000000GB" if blocked else "200MB",
            env=self.rabbitmq.configure(programs), cwd=self.rabbitmq.data, stdout=asyncio.subprocess.DEVNULL,
            **self.state.account.popen_options(),
        )  # fmt: skip
        assert await control.wait() == 0

    async def stop(self) -> None:
        """Both end at once, and their data go."""
        self.thaw()
        await self.kill_postgres()
        if self.rabbitmq is not None:
            await self.kill_broker()
        await asyncio.to_thread(shutil.rmtree, self.state.folder, ignore_errors=True)


@asynccontextmanager
async def own_servers(name: str, *, broker: bool = False) -> AsyncIterator[OwnServers]:
    """Servers on fresh data while inside; `name` is that of their folder."""
    servers = OwnServers(f"{name}-{os.getpid()}")
    await servers.start(broker=broker)
    try:
        yield servers
    finally:
        await servers.stop()
